import { expect, test } from 'vitest'
import { addConfigFlag } from '../../src/cli/add-config-flag.ts'

test.for([
  ['Run: connect up (or, only to log in: connect login)', undefined],
  ['Run: connect daemon restart', 'Run: connect daemon restart --config /a/staging.json'],
  [
    'Run: connect logout, then connect login --hub https://h',
    'Run: connect logout --config /a/staging.json, then connect login --config /a/staging.json --hub https://h',
  ],
  ['Agent not configured. Run: connect up', 'Agent not configured. Run: connect up --config /a/staging.json'],
  ['See what there is: connect services', 'See what there is: connect services --config /a/staging.json'],
  ['  Next: connect reach pg --keep', '  Next: connect reach --config /a/staging.json pg --keep'],
] as const)('%s', ([text, expected]) => {
  expect(addConfigFlag(text, undefined)).toBe(text)
  if (expected !== undefined) expect(addConfigFlag(text, '/a/staging.json')).toBe(expected)
})

test.for([
  '  Next: connect reach postgres (on another machine)',
  'connect hub token create',
  'reconnect daemon',
  'connect upgrade',
])('is the same for every instance: %s', (text) => {
  expect(addConfigFlag(text, '/a/staging.json')).toBe(text)
})

test('a path is quoted as a shell needs it', () => {
  expect(addConfigFlag('connect up', "/it's here/x.json")).toBe(
    String.raw`connect up --config '/it'\''s here/x.json'`,
  )
})
