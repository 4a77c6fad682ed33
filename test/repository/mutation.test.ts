import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../helpers/cli.ts'
import type { Unnoticeable } from '../mutation/mutant.ts'
import { UNNOTICEABLE } from '../mutation/unnoticeable.ts'

/** @returns what is stale in an explanation; undefined if it is of code that is there */
function whatIsStale({ file, code, change }: Unnoticeable): string | undefined {
  if (!existsSync(path.join(root, file))) return `${file} is gone`
  const text = readFileSync(path.join(root, file), 'utf8')
  if (!text.split('\n').some((line) => line.trim() === code)) return `${file} has no line ${code}`
  const [before = ''] = change.split(' → ')
  return text.replaceAll(/\s+/g, ' ').includes(before) ? undefined : `${file} has no ${before}`
}

test('what is said to be unnoticeable is a change of code that is there', () => {
  expect(UNNOTICEABLE.length).toBeGreaterThan(20)
  expect(UNNOTICEABLE.map(whatIsStale).filter((what) => what !== undefined)).toEqual([])
})

test('an explanation of code that is gone is seen', () => {
  const [known] = UNNOTICEABLE
  expect(whatIsStale({ ...known!, file: 'src/gone.ts' })).toBe('src/gone.ts is gone')
  expect(whatIsStale({ ...known!, code: 'gone()' })).toBe(`${known!.file} has no line gone()`)
  expect(whatIsStale({ ...known!, change: 'gone() → ;' })).toBe(`${known!.file} has no gone()`)
})

test('the summary of what tests notice names files that are there', () => {
  const summary = readFileSync(path.join(root, 'bench', 'results', 'mutation.md'), 'utf8')
  const files = [...summary.matchAll(/^(?:\| |### )(src\/\S+)/gm)].map(([, file]) => file!)
  expect(files.length).toBeGreaterThan(20)
  expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
})
