import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs, describePause } from '../../../src/hub-client/link/reconnect-backoff.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('the first try comes within a quarter of a second', () => {
  fc.assert(
    fc.property(chance, (random) => {
      expect(backoffMs(0, { random })).toBeGreaterThanOrEqual(0)
      expect(backoffMs(0, { random })).toBeLessThan(250)
    }),
  )
})

test('later tries spread over twice the time of the one before, up to 30 s, however often it failed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), chance, (failures, random) => {
      const bound = Math.min(30_000, 500 * 2 ** failures)
      expect(backoffMs(failures, { random })).toBe(random * bound)
      expect(backoffMs(failures, { random })).toBeLessThan(30_000)
    }),
  )
})

test('while streams wait for the link, no wait is longer than 2 s', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), chance, (failures, random) => {
      const bound = Math.min(2000, 500 * 2 ** failures)
      expect(backoffMs(failures, { isUrgent: true, random })).toBe(random * bound)
    }),
  )
})

test('without a given chance, waits differ', () => {
  expect(new Set(Array.from({ length: 20 }, () => backoffMs(6))).size).toBeGreaterThan(1)
})

test('no pause is called 0.0 s', () => {
  expect([0, 49, 50, 1249, 30_000].map(describePause)).toEqual([
    'at once',
    'at once',
    'in 0.1 s',
    'in 1.2 s',
    'in 30.0 s',
  ])
})
