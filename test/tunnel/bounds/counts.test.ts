import { expect, test } from 'vitest'
import { Counts } from '../../../src/tunnel/bounds/counts.ts'

test('each is counted by itself, up and down to none', () => {
  const counts = new Counts()
  expect([counts.add('a'), counts.add('a'), counts.add('b')]).toEqual([1, 2, 1])
  expect([counts.of('a'), counts.of('b'), counts.of('c')]).toEqual([2, 1, 0])
  expect([counts.remove('a'), counts.remove('a'), counts.of('a'), counts.of('b')]).toEqual([1, 0, 0, 1])
})
