import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openLogFile, type LogFile, type LogFileOptions } from '../../../src/log/file/log-file.ts'
import { lastLines } from '../../fixtures/last-lines.ts'
import { asNobody } from '../../fixtures/machine/as-nobody.ts'
import { allLines, numbersIn, strangersBeside, upTo } from '../../fixtures/log-folder.ts'
import { runFixture, runProgram } from '../../fixtures/run-fixture.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { canMount } from '../../fixtures/machine/small-disk.ts'

/** Room for ten lines of `number 0`. */
const TEN_LINES = 450

function logFile(): string {
  return path.join(scratchFolder(), 'daemon.log')
}

function opened(file: string, options: LogFileOptions = { maxBytes: TEN_LINES }): LogFile {
  const log = openLogFile(file, options)
  onTestFinished(() => log.close())
  return log
}

function takenOver(file: string, options?: LogFileOptions): LogFile {
  const log = opened(file, options)
  log.takeOver()
  return log
}

function writeNumbers(log: LogFile, from: number, to: number): void {
  for (let number = from; number < to; number++) log.write(`number ${number}`)
}

const modeOf = (file: string) => statSync(file).mode & 0o777

describe('rotation', () => {
  test('begins a new file with the line that would pass the limit, and keeps what was before', () => {
    const file = logFile()
    writeNumbers(takenOver(file, { maxBytes: TEN_LINES, keep: 9 }), 0, 45)
    expect(numbersIn(allLines(file))).toEqual(upTo(45))
    const files = [file, ...[1, 2, 3, 4].map((number) => `${file}.${number}`)]
    for (const name of files) {
      expect(statSync(name).size).toBeLessThanOrEqual(TEN_LINES)
      expect(readFileSync(name, 'utf8')).toMatch(/^\d{4}-.*\n$/s)
      expect(modeOf(name)).toBe(0o600)
    }
    expect(existsSync(`${file}.5`)).toBe(false)
    expect(strangersBeside(file)).toEqual([])
  })

  test('keeps three files at 10 MiB, or as many as it is told', () => {
    const file = logFile()
    writeNumbers(takenOver(file, { maxBytes: TEN_LINES, keep: 2 }), 0, 100)
    expect([1, 2, 3].map((number) => existsSync(`${file}.${number}`))).toEqual([true, true, false])
    expect(numbersIn(allLines(file)).at(-1)).toBe(99)

    const other = logFile()
    const log = takenOver(other, {})
    const line = 'x'.repeat(1024 * 1024)
    for (let count = 0; count < 45; count++) log.write(line)
    const sizes = [1, 2, 3, 4].map(
      (number) => statSync(`${other}.${number}`, { throwIfNoEntry: false })?.size,
    )
    expect(sizes.map((size) => size && Math.floor(size / line.length))).toEqual([9, 9, 9, undefined])
  })

  test('is for the one that holds the instance: until then it only appends', () => {
    const file = logFile()
    const log = opened(file)
    writeNumbers(log, 0, 30)
    expect(existsSync(`${file}.1`)).toBe(false)
    log.takeOver()
    writeNumbers(log, 30, 31)
    expect(numbersIn(allLines(file))).toEqual(upTo(31))
    expect(numbersIn(readFileSync(file, 'utf8').split('\n'))).toEqual([30])
  })

  test('counts what others append, and leaves their descriptors good', () => {
    const file = logFile()
    const log = takenOver(file)
    const stderr = openSync(file, 'a')
    log.write('number 0')
    writeSync(stderr, `${'crash '.repeat(100)}\n`)
    log.write('number 1')
    expect(readFileSync(file, 'utf8')).toMatch(/^\S+ info {2}number 1\n$/)
    writeSync(stderr, 'crash again\n')
    expect(readFileSync(file, 'utf8')).toMatch(/^\S+ info {2}number 1\ncrash again\n$/)
    expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/number 0\n(crash ){100}\n$/)
  })

  test('lets a line be longer than a file may be', () => {
    const file = logFile()
    const log = takenOver(file)
    const long = 'x'.repeat(TEN_LINES * 3)
    for (const text of [long, 'number 0', long]) log.write(text)
    expect(allLines(file).map((line) => line.slice(36))).toEqual([long, 'number 0', long])
    expect(existsSync(`${file}.3`)).toBe(false)
  })

  test('of far more than a log of ours has keeps the end', () => {
    const file = logFile()
    writeFileSync(file, '')
    truncateSync(file, 4 * 1024 ** 3)
    appendFileSync(file, '\nthe end\n')
    writeNumbers(takenOver(file, {}), 0, 1)
    expect(numbersIn(readFileSync(file, 'utf8').split('\n'))).toEqual([0])
    expect(statSync(`${file}.1`).size).toBe(64 * 1024 * 1024)
    expect(lastLines(file, 2)[0]).toBe('the end')
  })

  test('that is not possible costs a warning, not a line', () => {
    const folder = scratchFolder()
    chmodSync(folder, 0o777)
    const file = path.join(folder, 'daemon.log')
    asNobody(() => {
      const log = takenOver(file)
      writeNumbers(log, 0, 5)
    })
    chmodSync(folder, 0o555)
    asNobody(() => writeNumbers(takenOver(file), 5, 100))
    chmodSync(folder, 0o755)
    const lines = allLines(file)
    expect(numbersIn(lines)).toEqual(upTo(100))
    expect(lines.filter((line) => line.includes('warn'))).toEqual([
      expect.stringMatching(/ warn {2}\[!\] The log could not be rotated: EACCES/),
    ])
    expect(strangersBeside(file)).toEqual([])
  })
})

describe('after a rotation that was cut short,', () => {
  test('what was copied but not cut is there once only', () => {
    const file = logFile()
    writeNumbers(takenOver(file), 0, 25)
    const before = readFileSync(`${file}.1`, 'utf8')
    copyFileSync(file, `${file}.1`)
    writeFileSync(`${file}.2`, before)
    const older = readFileSync(`${file}.3`, { flag: 'a+' })
    appendFileSync(file, 'crash\n')
    writeFileSync(`${file}.tmp`, 'half a copy')
    takenOver(file)
    expect(statSync(file).size).toBe(0)
    expect(readFileSync(`${file}.1`, 'utf8')).toMatch(/number 24\ncrash\n$/)
    expect(readFileSync(`${file}.2`, 'utf8')).toBe(before)
    expect(readFileSync(`${file}.3`)).toEqual(older)
    expect(strangersBeside(file)).toEqual([])
  })

  test('a gap that it left is filled, and nothing old is dropped for it', () => {
    const file = logFile()
    writeNumbers(takenOver(file), 0, 35)
    renameSync(`${file}.1`, `${file}.2`)
    const oldest = readFileSync(`${file}.3`, 'utf8')
    writeNumbers(takenOver(file), 35, 45)
    expect(readFileSync(`${file}.3`, 'utf8')).toBe(oldest)
    expect(existsSync(`${file}.1`)).toBe(true)
  })

  test('a line that broke off does not swallow the next one', () => {
    const file = logFile()
    writeFileSync(file, 'half a li')
    const log = takenOver(file)
    log.write('number 0')
    expect(allLines(file)).toEqual(['half a li', expect.stringMatching(/ info {2}number 0$/)])
  })
})

test(
  'a kill at any moment loses no line that was acknowledged',
  { tags: ['variation'], timeout: 120_000 },
  async () => {
    let cutShort = 0
    for (let round = 0; round < 30; round++) {
      const file = logFile()
      const writer = runFixture('write-log.ts', [file, '2000', '12000', '9', '--acknowledge'])
      await writer.printed(/acknowledged 0\n/)
      await sleep(Math.random() * 60)
      await writer.stop('SIGKILL')
      const acknowledged = Number(/.*\nacknowledged (\d+)\n/s.exec(`\n${writer.stdout}`)?.[1])
      if (!writer.stdout.includes('all written')) cutShort++
      takenOver(file, { maxBytes: 12_000, keep: 9 })
      const found = numbersIn(allLines(file))
      expect(found, `round ${round}`).toEqual(upTo(found.length))
      expect(found.length).toBeGreaterThan(acknowledged)
      expect(strangersBeside(file)).toEqual([])
    }
    expect(cutShort).toBeGreaterThan(0)
  },
)

test('a line that comes after the end goes nowhere', () => {
  const file = logFile()
  const log = openLogFile(file)
  log.close()
  const other = openSync(`${file}.other`, 'a')
  log.write('late')
  writeSync(other, 'other')
  expect([readFileSync(file, 'utf8'), readFileSync(`${file}.other`, 'utf8')]).toEqual(['', 'other'])
})

describe('a log that somebody', () => {
  test.for(['deleted', 'renamed'])('%s is made anew for us alone, with the next line or without', (how) => {
    const file = logFile()
    const remove = () => (how === 'deleted' ? rmSync(file) : renameSync(file, `${file}.old`))
    const log = takenOver(file)
    log.write('number 0')
    remove()
    log.write('number 1')
    expect(numbersIn(allLines(file))).toEqual([1])
    expect(modeOf(file)).toBe(0o600)
    remove()
    log.housekeeping()
    expect(readFileSync(file, 'utf8')).toBe('')
    expect(modeOf(file)).toBe(0o600)
  })

  test('moved away with its folder is written on where it is', () => {
    const folder = path.join(scratchFolder(), 'one')
    const moved = path.join(path.dirname(folder), 'two')
    mkdirSync(folder)
    const log = takenOver(path.join(folder, 'daemon.log'))
    renameSync(folder, moved)
    log.write('number 0')
    log.housekeeping()
    expect(numbersIn(allLines(path.join(moved, 'daemon.log')))).toEqual([0])
  })

  test('opened to others is closed to them by the one that holds the instance', () => {
    const file = logFile()
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    const log = opened(file)
    expect(modeOf(file)).toBe(0o644)
    log.takeOver()
    expect(modeOf(file)).toBe(0o600)
  })
})

test('a full disk costs the rotation and some lines, and the next one is whole again', async (context) => {
  const mount = canMount(context)
  const folder = scratchFolder()
  const steps = [
    'mount -t tmpfs -o size=64k none "$1"',
    'head -c 4096 /dev/zero > "$1/filler"',
    '"$2" "$3" "$1/daemon.log" 3000 50000 3 --exit',
    'rm "$1/filler"',
    '"$2" "$3" "$1/daemon.log" 1 500000 3 --exit',
    'ls "$1"; cat "$1/daemon.log"',
  ]
  const script = path.resolve(import.meta.dirname, '../../fixtures/programs/write-log.ts')
  const shell = runProgram([...mount, 'sh', '-ec', steps.join('\n'), 'sh', folder, process.execPath, script])
  expect(await shell.exited, shell.output).toMatchObject({ code: 0 })
  const lines = shell.stdout.split('\n')
  expect(lines.slice(0, 3)).toEqual(['all written', 'all written', 'daemon.log'])
  expect(shell.stdout).toMatch(/warn {2}\[!\] The log could not be rotated: ENOSPC/)
  const numbers = numbersIn(lines)
  expect(numbers.length).toBeGreaterThan(1000)
  expect(numbers.slice(0, 1000)).toEqual(upTo(1000))
  expect(lines.at(-2)).toMatch(/^\S+ info {2}number 0$/)
})

test.skipIf(process.platform !== 'linux')('a full disk does not end the agent: the line is lost', () => {
  const file = logFile()
  symlinkSync('/dev/full', file)
  const log = takenOver(file)
  expect(() => log.write('one')).not.toThrow()
})

test.skipIf(process.platform !== 'linux')('how many lines were lost is said once there is room', () => {
  const file = logFile()
  symlinkSync('/dev/full', file)
  const log = takenOver(file)
  for (const line of ['one', 'two']) log.write(line)
  rmSync(file)
  log.write('three')
  const texts = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^\S+ /, ''))
  expect(texts).toEqual(['warn  [!] 2 lines are missing here', 'info  three', ''])
})
