import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { errorsPage } from '../../scripts/docs/errors-page.ts'
import { generateManifest } from '../../scripts/manifest.ts'
import { ERRORS, type ErrorCode } from '../../src/error-codes.ts'
import { ConnectError } from '../../src/errors.ts'
import { root } from '../helpers/cli.ts'
import { sourceFiles, sourceOf } from '../fixtures/product/source.ts'

const codes = Object.keys(ERRORS) as ErrorCode[]

test('docs/errors.md says what src/error-codes.ts says; else run: npm run docs', () => {
  expect(readFileSync(path.join(root, 'docs', 'errors.md'), 'utf8')).toBe(errorsPage())
})

/** Whether an error is made with the code, it is handed as `damaged` to a reader, or it is a kind’s own. */
const thrownIn = (text: string, code: string) =>
  new RegExp(
    `new ConnectError\\((?:[^,(]*[\\s?:])?'${code}'|\\bdamaged: '${code}'|\\berrors: \\{[^}]*'${code}'`,
  ).test(text)

test.for(codes)('%s is thrown somewhere', (code) => {
  expect(sourceFiles.filter((file) => thrownIn(sourceOf(file), code))).not.toEqual([])
})

test('a code that is only compared with, or listed, is not thrown', () => {
  for (const text of [
    "if (error.code === 'A_CODE') return",
    "const FATAL = ['A_CODE', 'B_CODE']",
    "case 'A_CODE':",
    "new ConnectError('B_CODE', 'as A_CODE')",
  ])
    expect(thrownIn(text, 'A_CODE'), text).toBe(false)
  for (const text of ["new ConnectError('A_CODE', 'x')", "new ConnectError(\n  known ?? 'A_CODE',"])
    expect(thrownIn(text, 'A_CODE'), text).toBe(true)
})

test.for(codes)('%s has a cause and a fix in whole sentences', (code) => {
  const { cause, fix } = ERRORS[code]
  expect(cause).toMatch(/^[A-Z].*[.)]$/)
  expect(fix).toMatch(/^[A-Z]/)
  expect(cause + fix).not.toMatch(/\n|\s{2}|…|\bTODO\b/)
  expect(new ConnectError(code, 'x').hints).toEqual([fix])
})

test('the comments promise no error that there is not', () => {
  const promised = sourceFiles.flatMap((file) =>
    [...sourceOf(file).matchAll(/@throws ConnectError (.*)/g)].flatMap(([, text = '']) =>
      [...text.matchAll(/\b[A-Z]{2,}(?:_[A-Z]+)+\b/g)].map(([code]) => ({ file, code })),
    ),
  )
  expect(promised.length).toBeGreaterThan(30)
  expect(promised.filter(({ code }) => !(code in ERRORS))).toEqual([])
})

test('every command that an error, a hint or a line of help tells to run exists', async () => {
  const manifest = JSON.parse(await generateManifest()) as { commands: Record<string, unknown> }
  const ids = new Set([...Object.keys(manifest.commands), 'plugins:install', 'daemon', 'hub'])
  const told = sourceFiles.flatMap((file) =>
    [...sourceOf(file).matchAll(/(?:Run: |[`(]|then |Next: |: )connect ([a-z]+(?: [a-z]+)*)/g)].map(
      ([, words = '']) => ({
        file,
        words: words.split(' '),
      }),
    ),
  )
  expect(told.length).toBeGreaterThan(15)
  const isCommand = (words: readonly string[]) =>
    words.some((_, at) => ids.has(words.slice(0, at + 1).join(':')))
  expect(told.filter(({ words }) => !isCommand(words))).toEqual([])
})
