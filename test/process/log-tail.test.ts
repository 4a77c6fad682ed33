import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lastLines } from '../../src/process/log-tail.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const BLOCK = 64 * 1024

function fileWith(content: string): string {
  const file = path.join(scratchFolder(), 'daemon.log')
  writeFileSync(file, content)
  return file
}

describe('the last lines of', () => {
  test.for([
    ['an empty file', '', []],
    ['a file of one newline', '\n', ['']],
    ['a file without a newline at its end', 'a\nb', ['a', 'b']],
    ['a file with one', 'a\nb\n', ['a', 'b']],
    ['a file with empty lines at its end', 'a\n\n\n', ['a', '', '']],
    ['a longer file', 'a\nb\nc\nd\n', ['b', 'c', 'd']],
  ] as const)('%s', ([, content, lines]) => {
    expect(lastLines(fileWith(content), 3)).toEqual(lines)
  })

  test('no file at all', () => {
    expect(lastLines(path.join(scratchFolder(), 'daemon.log'), 3)).toBeUndefined()
  })

  test('a file that begins where the caller says', () => {
    const file = fileWith('old\nnew\n')
    expect(lastLines(file, 3, 4)).toEqual(['new'])
    expect(lastLines(file, 3, 8)).toEqual([])
    // It was cut short meanwhile, as a rotation does.
    expect(lastLines(file, 3, 800)).toEqual([])
  })

  test.for([-2, -1, 0, 1, 2])('a file whose line ends %i bytes from the edge of a block', (offset) => {
    const long = 'x'.repeat(BLOCK + offset)
    expect(lastLines(fileWith(`first\n${long}\n`), 1)).toEqual([long])
    expect(lastLines(fileWith(`first\nsecond\n${long}`), 2)).toEqual(['second', long])
  })

  test('a file with a character across the edge of a block', () => {
    const content = `${'é'.repeat(BLOCK)}x\n`
    expect(lastLines(fileWith(content), 1)).toEqual([content.trimEnd()])
  })

  test('any file are those that reading all of it gives', () => {
    const file = path.join(scratchFolder(), 'daemon.log')
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', '')),
      fc.integer({ min: BLOCK - 30, max: BLOCK + 30 }).map((length) => 'y'.repeat(length)),
    )
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        (lines, ends, n) => {
          const content = lines.join('\n') + (ends ? '\n' : '')
          writeFileSync(file, content)
          const whole = readFileSync(file, 'utf8').replace(/\n$/, '')
          expect(lastLines(file, n)).toEqual(content === '' ? [] : whole.split('\n').slice(-n))
        },
      ),
      { numRuns: 60 },
    )
  })
})

test('of a log of 300 MB it reads only the end', (context) => {
  const io = '/proc/self/io'
  if (!existsSync(io)) context.skip('the system does not count how much a process reads')
  const bytesRead = () => Number(/^rchar: (\d+)/m.exec(readFileSync(io, 'utf8'))?.[1])
  const file = fileWith('')
  truncateSync(file, 300 * 1024 * 1024)
  appendFileSync(file, `\n${'line\n'.repeat(1000)}`)
  const before = bytesRead()
  expect(lastLines(file, 50)).toEqual(Array.from({ length: 50 }, () => 'line'))
  expect(bytesRead() - before).toBeLessThan(1024 * 1024)
})

test('a folder in the place of the log is an error that says so', () => {
  const folder = path.join(scratchFolder(), 'daemon.log')
  mkdirSync(folder)
  const error = thrownBy(() => lastLines(folder, 3))
  expect(error.code).toBe('CONFIG_UNREADABLE')
  expect(error.message).toContain(folder)
})
