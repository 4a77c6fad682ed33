import { expect, test } from 'vitest'
import { foreignWords, takeForeignWords } from '../../../src/cli/argv/foreign-words.ts'

test('what ends the options of other commands stays theirs', () => {
  for (const line of [
    'expose -- 5432',
    'reach postgres',
    'ssh --help',
    'ssh -h',
    'plugins run -- x',
    '--',
    '',
  ]) {
    const argv = line.split(' ')
    expect(takeForeignWords(argv)).toEqual(argv)
  }
  expect(foreignWords()).toBeUndefined()
})

test.for([
  ['reach pg -- psql -h {host} -- -h', 'reach pg', 'psql -h {host} -- -h'],
  ['reach --config f pg -- --json', 'reach --config f pg', '--json'],
  ['ssh -p 22 dev -- ls --help', 'ssh', '-p 22 dev -- ls --help'],
  ['ssh dev -h', 'ssh', 'dev -h'],
] as const)('%s', ([line, ours, foreign]) => {
  expect(takeForeignWords(line.split(' ')).join(' ')).toBe(ours)
  expect(foreignWords()?.join(' ')).toBe(foreign)
})

test('a program that is missing is not the same as none', () => {
  expect(takeForeignWords(['reach', 'pg', '--'])).toEqual(['reach', 'pg'])
  expect(foreignWords()).toEqual([])
})
