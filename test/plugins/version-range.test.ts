import { createRequire } from 'node:module'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isInRange } from '../../src/plugins/version-range.ts'

test.for([
  ['0.1.0', '>=0.1.0', true],
  ['0.1.0', '^0.1', true],
  ['0.2.0', '^0.1', false],
  ['1.4.0', '^1.2.3', true],
  ['2.0.0', '^1.2.3', false],
  ['2.0.0', '^1.2.3 || ^2', true],
  ['1.9.9', '>=1.2 <2', true],
  ['2.0.0', '>= 1.2 < 2', false],
  ['2.0.0', '*', true],
  ['2.0.0', '', true],
  ['1.2.9', '~1.2.3', true],
  ['1.3.0', '~1.2.3', false],
  ['2.1.0', '2.x', true],
  ['1.2.3', 'workspace:*', undefined],
  ['1.2.3', '1 - 2', undefined],
] as const)('%s in %j: %s', ([version, range, expected]) => {
  expect(isInRange(version, range)).toBe(expected)
})

test('it is what npm takes it for', () => {
  // Of oclif: in the program it would cost too much time.
  const { satisfies } = createRequire(import.meta.filename)('semver') as {
    satisfies: (version: string, range: string) => boolean
  }
  const part = fc.integer({ min: 0, max: 3 })
  const version = fc.tuple(part, part, part).map((parts) => parts.join('.'))
  const partial = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([parts, any]) => (any && parts.length < 3 ? [...parts, 'x'] : parts).join('.'))
  const comparator = fc
    .tuple(fc.constantFrom('', '=', '^', '~', '>', '>=', '<', '<='), partial)
    .map((words) => words.join(''))
  const range = fc
    .array(fc.array(comparator, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 })
    .map((all) => all.map((words) => words.join(' ')).join(' || '))
  fc.assert(
    fc.property(version, range, (one, wanted) => {
      expect(isInRange(one, wanted), `${one} in ${wanted}`).toBe(satisfies(one, wanted))
    }),
    { numRuns: 3000 },
  )
})
