import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTail } from '../../../src/log/file/tail.ts'
import { asNobody } from '../../fixtures/machine/as-nobody.ts'
import { lastLines } from '../../fixtures/last-lines.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const BLOCK = 64 * 1024

function fileWith(content: string): string {
  const file = path.join(scratchFolder(), 'daemon.log')
  writeFileSync(file, content)
  return file
}

/** The last lines, the oldest first, over all of the log's files. */
function tail(file: string, count: number): string[] {
  return readTail(file, (lines) => taken(lines, count)).found.toReversed()
}

function taken(lines: Iterable<string>, count: number): string[] {
  const some: string[] = []
  for (const line of lines) if (some.push(line) === count) break
  return some
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
    expect(lastLines(path.join(scratchFolder(), 'daemon.log'), 3)).toEqual([])
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

describe('reading backwards', () => {
  test('goes on into what was rotated out, over gaps in the numbers', () => {
    const file = fileWith('f\ng\n')
    writeFileSync(`${file}.1`, 'd\ne\n')
    writeFileSync(`${file}.2`, '')
    writeFileSync(`${file}.4`, 'a\nb\nc')
    expect(tail(file, 1)).toEqual(['g'])
    expect(tail(file, 3)).toEqual(['e', 'f', 'g'])
    expect(tail(file, 9)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    writeFileSync(file, '')
    expect(tail(file, 2)).toEqual(['d', 'e'])
    rmSync(file)
    expect(tail(file, 2)).toEqual(['d', 'e'])
  })

  test('meets lines once only that a rotation has copied and not cut yet', () => {
    const file = fileWith('b\nc\nd\n')
    writeFileSync(`${file}.1`, 'b\nc\n')
    writeFileSync(`${file}.2`, 'a\n')
    expect(tail(file, 9)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('does without a file that was rotated out and may not be read', () => {
    const file = fileWith('c\n')
    for (const [number, content] of ['b\n', 'a\n'].entries()) writeFileSync(`${file}.${number + 1}`, content)
    chmodSync(path.dirname(file), 0o755)
    chmodSync(`${file}.1`, 0)
    mkdirSync(`${file}.3`)
    expect(asNobody(() => tail(file, 9))).toEqual(['a', 'c'])
  })

  test('gives the lines that reading all files gives, however they are spread', () => {
    const folder = scratchFolder()
    const file = path.join(folder, 'daemon.log')
    const line = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', '')),
      fc.integer({ min: BLOCK - 9, max: BLOCK + 9 }).map((length) => '€'.repeat(Math.ceil(length / 3))),
    )
    fc.assert(
      fc.property(
        fc.array(fc.array(line, { maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 20 }),
        (files, count) => {
          rmSync(folder, { recursive: true })
          mkdirSync(folder)
          // So that no two files begin alike: in the real ones it is the time that tells them apart.
          const named = files.map((lines, number) => [`file ${number}`, ...lines])
          for (const [age, lines] of named.toReversed().entries()) {
            writeFileSync(age === 0 ? file : `${file}.${age}`, `${lines.join('\n')}\n`)
          }
          const whole = named.flat().map((text) => Buffer.from(text).toString('utf8'))
          expect(tail(file, count)).toEqual(whole.slice(-count))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('leaves a line without its newline to whoever follows', () => {
    const file = fileWith('a\nb\nhalf')
    const whole = (lines: Iterable<string>) => taken(lines, 9)
    expect(readTail(file, whole).found).toEqual(['half', 'b', 'a'])
    const { found, end } = readTail(file, whole, { wholeLines: true })
    expect(found).toEqual(['b', 'a'])
    expect(end.offset).toBe(4)
  })

  test('gives a line of more than 1 MiB in pieces that are all of it', () => {
    const long = 'abcdefg'.repeat(500_000)
    const file = fileWith(`first\n${long}\nlast\n`)
    const lines = tail(file, 99)
    expect([lines[0], lines.slice(1, -1).join(''), lines.at(-1)]).toEqual(['first', long, 'last'])
    expect(lines.length).toBeGreaterThan(4)
    for (const line of lines) expect(line.length).toBeLessThan(1.2 * 1024 * 1024)
  })
})

describe('of a log of 1 GB only the end is read', () => {
  const io = '/proc/self/io'
  const bytesRead = () => Number(/^rchar: (\d+)/m.exec(readFileSync(io, 'utf8'))?.[1])
  const LINES = Array.from({ length: 50 }, () => 'line')

  test.for([
    ['the last lines', (file: string) => expect(lastLines(file, 50)).toEqual(LINES)],
    ['its tail', (file: string) => expect(tail(file, 50)).toEqual(LINES)],
    [
      'where it ends',
      (file: string) => readTail(file, (lines) => taken(lines, 1), { wholeLines: true }).end.offset,
    ],
  ] as const)('for %s', ([, read], context) => {
    if (!existsSync(io)) context.skip('the system does not count how much a process reads')
    const file = fileWith('')
    truncateSync(file, 1024 ** 3)
    appendFileSync(file, `\n${'line\n'.repeat(1000)}`)
    const before = bytesRead()
    read(file)
    expect(bytesRead() - before).toBeLessThan(1024 * 1024)
  })
})

test('of a log of 32 GB of zeros no more is read than a log of ours may have, whatever is looked for', (context) => {
  const io = '/proc/self/io'
  if (!existsSync(io)) context.skip('the system does not count how much a process reads')
  const file = fileWith('')
  truncateSync(file, 32 * 1024 ** 3)
  writeFileSync(`${file}.1`, 'a line\n')
  const before = Number(/^rchar: (\d+)/m.exec(readFileSync(io, 'utf8'))?.[1])
  const length = readTail(file, (lines) => [...lines].reduce((sum, line) => sum + line.length, 0)).found
  const read = Number(/^rchar: (\d+)/m.exec(readFileSync(io, 'utf8'))?.[1]) - before
  expect(length).toBe(64 * 1024 * 1024)
  expect(read).toBeLessThan(65 * 1024 * 1024)
})

test('a folder in the place of the log is an error that says so', () => {
  const folder = path.join(scratchFolder(), 'daemon.log')
  mkdirSync(folder)
  for (const read of [() => lastLines(folder, 3), () => tail(folder, 3)]) {
    const error = thrownBy(read)
    expect(error.code).toBe('LOG_UNREADABLE')
    expect(error.message).toBe(`Could not read ${folder}: not a file`)
  }
})
