import { expect, test } from 'vitest'
import { compareVersions } from '../../src/process/compare-versions.ts'

/** From the oldest to the newest; the pre-releases of 1.0.0 are the specification’s own example. */
const ORDER = [
  '0.1.0',
  '0.2.0',
  '0.10.0',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.1-0',
  '1.0.1-0.x-y',
  '1.0.1',
  '2.0.0-9007199254740992',
  '2.0.0-9007199254740993',
  '2.0.0',
]

test('every version comes after those before it, and is as old as itself', () => {
  for (const [at, one] of ORDER.entries())
    for (const [otherAt, other] of ORDER.entries())
      expect(Math.sign(compareVersions(one, other)!), `${one} and ${other}`).toBe(Math.sign(at - otherAt))
})

test('what stands after a plus makes none older', () => {
  expect(compareVersions('1.0.0+b', '1.0.0+a')).toBe(0)
  expect(compareVersions('1.0.0-rc.1+b', '1.0.0-rc.1')).toBe(0)
})

test.for(['', '1', '1.2', 'v1.2.3', '1.2.3.4', '1.2.x', 'unknown'])('%j is no version', (text) => {
  expect(compareVersions(text, '1.0.0')).toBeUndefined()
  expect(compareVersions('1.0.0', text)).toBeUndefined()
})
