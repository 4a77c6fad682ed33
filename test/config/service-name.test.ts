import { expect, test } from 'vitest'
import { parseServiceName } from '../../src/config/service-name.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

test.for(['a', '0', 'staging-api', 'a--b', 'a'.repeat(63)])('%s is a service name', (name) => {
  expect(parseServiceName(name)).toBe(name)
})

test.for([
  ['nothing', ''],
  ['64 characters', 'a'.repeat(64)],
  ['a hyphen at the front', '-a'],
  ['a hyphen at the end', 'a-'],
  ['upper case', 'Api'],
  ['a dot', 'a.b'],
  ['an underscore', 'a_b'],
  ['a slash', 'a/b'],
  ['a way out of a folder', '../a'],
  ['a blank', 'a b'],
  ['a newline at the end', 'a\n'],
  ['letters beyond a to z', 'größe'],
  ['a NUL', 'a\0'],
] as const)('a service name with %s is refused', ([, name]) => {
  const error = thrownBy(() => parseServiceName(name))
  expect(error.code).toBe('BAD_NAME')
  expect(error.hints).toEqual([
    'Give 1 to 63 of a-z, 0-9 and -, with no - at either end, for example: staging-api',
  ])
})
