import { expect, test } from 'vitest'
import { compact } from '../../../src/tunnel/bounds/compact.ts'

test('a few bytes of a large read are copied', () => {
  const read = Buffer.alloc(64 * 1024, 7)
  const few = read.subarray(100, 200)
  const kept = compact(few)
  expect(kept.equals(few)).toBe(true)
  expect(kept.buffer).not.toBe(read.buffer)
})

test('of what waits for long, half of a read is copied, too, and nearly all of it is not', () => {
  const read = Buffer.alloc(64 * 1024)
  const [half, most] = [read.subarray(0, 32_768), read.subarray(0, 60_000)]
  expect([compact(half, 0.75) === half, compact(most, 0.75) === most]).toEqual([false, true])
})

test('most of a read is not copied, nor are bytes of a small one', () => {
  const [large, small] = [Buffer.alloc(64 * 1024), Buffer.alloc(1000)]
  for (const bytes of [large.subarray(0, 32_768), small.subarray(0, 1)]) expect(compact(bytes)).toBe(bytes)
})
