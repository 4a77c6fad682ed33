import { performance } from 'node:perf_hooks'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { TokenBucket } from '../../../src/hub/links/token-bucket.ts'

let now = 0

beforeEach(() => {
  now = 1000
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
  onTestFinished(() => clock.mockRestore())
})

/** How many there are now. */
function takeAll(allowance: TokenBucket): number {
  let count = 0
  while (count < 100 && allowance.take() === 0) count++
  return count
}

test('there are so many at once, and then it says when there is another', () => {
  const allowance = new TokenBucket(3, 4)
  expect([1, 2, 3, 4].map(() => allowance.take())).toEqual([0, 0, 0, 251])
  now += 125
  expect(allowance.take()).toBe(126)
  now += 62.5
  expect(allowance.take()).toBe(63.5)
  now += 62.5
  expect([allowance.take(), allowance.take()]).toEqual([0, 251])
})

test('so many come in a second, and never more than there may be at once', () => {
  const allowance = new TokenBucket(10, 4)
  expect(takeAll(allowance)).toBe(10)
  now += 1000
  expect(takeAll(allowance)).toBe(4)
  now += 3_600_000
  expect(takeAll(allowance)).toBe(10)
})
