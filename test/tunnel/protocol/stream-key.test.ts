import { expect, test } from 'vitest'
import { randomStreamKey } from '../../../src/tunnel/protocol/stream-key.ts'

test('no two streams get the same key, and none loses its own to a later one', () => {
  const keys = Array.from({ length: 1000 }, () => {
    const key = randomStreamKey()
    return { key, was: key.toString('hex') }
  })
  expect(new Set(keys.map(({ was }) => was)).size).toBe(1000)
  for (const { key, was } of keys) expect(key.toString('hex')).toBe(was)
  expect(keys[0]!.key.length).toBe(16)
})
