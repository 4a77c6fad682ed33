import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { shellQuote } from '../../src/text/shell-quote.ts'

test
  .skipIf(process.platform === 'win32')
  .for(['it’s', "it's", '$HOME `id` "x"', 'a  b', '~/x', '*', '', '-n', 'two\nlines', '!'])(
  'a shell takes %j for one word',
  (word) => {
    const line = `printf '%s|' ${shellQuote(word)}`
    expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(`${word}|`)
  },
)

test('what needs no quotes has none', () => {
  expect(shellQuote('/home/ada/company-ca.pem')).toBe('/home/ada/company-ca.pem')
  expect(shellQuote('127.0.0.1:7700')).toBe('127.0.0.1:7700')
})
