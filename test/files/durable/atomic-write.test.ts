import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { prepareWrite, writeFileAtomic } from '../../../src/files/durable/atomic-write.ts'
import { asNobody } from '../../fixtures/machine/as-nobody.ts'
import { fsCalls } from '../../fixtures/fs-calls.ts'
import { CONTENTS } from '../../fixtures/programs/rewrite-contents.ts'
import { runFixture, runProgram } from '../../fixtures/run-fixture.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { canMount } from '../../fixtures/machine/small-disk.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

test('a file gets the mode that was asked for, whatever it had and whatever the umask is', () => {
  const file = path.join(scratchFolder(), 'file')
  const umask = process.umask(0o777)
  try {
    writeFileAtomic(file, 'one')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    chmodSync(file, 0o644)
    writeFileAtomic(file, 'two')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    writeFileAtomic(file, 'three', 0o640)
  } finally {
    process.umask(umask)
  }
  expect(statSync(file).mode & 0o777).toBe(0o640)
  expect(readFileSync(file, 'utf8')).toBe('three')
  expect(readdirSync(path.dirname(file))).toEqual(['file'])
})

test(
  'a kill at any moment leaves the old content or the new one, whole',
  { tags: ['variation'], timeout: 120_000 },
  async () => {
    const folder = scratchFolder()
    const file = path.join(folder, 'file')
    for (let round = 0; round < 30; round++) {
      const writer = runFixture('rewrite-file.ts', [file])
      await writer.printed(/written once/)
      await sleep(Math.random() * 15)
      await writer.stop('SIGKILL')
      const content = readFileSync(file, 'utf8')
      expect(CONTENTS.indexOf(content as never), `round ${round}: ${content.length} bytes`).not.toBe(-1)
    }
    // What a kill leaves behind is nobody else's to read.
    for (const name of readdirSync(folder)) expect(statSync(path.join(folder, name)).mode & 0o077).toBe(0)
  },
)

describe('what is written outlives a power cut:', () => {
  /** Its temporary name is made up anew each time. */
  const named = (lines: readonly string[]) =>
    lines.map((line) => line.replaceAll(/file\.\S+\.tmp/g, 'TEMPORARY'))

  test('the content is on the disk before it takes the place of the old one, and then its name', () => {
    const folder = scratchFolder()
    const file = path.join(folder, 'file')
    writeFileSync(file, 'old')
    const found: string[] = []
    const lines = fsCalls(['fsyncSync', 'renameSync'], () => found.push(readFileSync(file, 'utf8')))
    const pending = prepareWrite(file, 'new')
    expect(named(lines)).toEqual([`fsyncSync ${folder}/TEMPORARY`])
    pending.commit()
    expect(named(lines)).toEqual([
      `fsyncSync ${folder}/TEMPORARY`,
      `renameSync ${folder}/TEMPORARY ${file}`,
      `fsyncSync ${folder}`,
    ])
    expect(found).toEqual(['old', 'old', 'new'])
  })

  test('on Windows, which opens no folder, only the content is', () => {
    const folder = scratchFolder()
    const { platform } = process
    Object.defineProperty(process, 'platform', { value: 'win32' })
    onTestFinished(() => void Object.defineProperty(process, 'platform', { value: platform }))
    const lines = fsCalls(['fsyncSync'])
    writeFileAtomic(path.join(folder, 'file'), 'new')
    expect(named(lines)).toEqual([`fsyncSync ${folder}/TEMPORARY`])
  })

  test('a disk that does not take it is an error, and the old file stays', () => {
    const file = path.join(scratchFolder(), 'file')
    writeFileSync(file, 'old')
    const broken = new Error('EIO: i/o error, fsync')
    fsCalls(['fsyncSync'], () => {
      throw broken
    })
    const error = thrownBy(() => writeFileAtomic(file, 'new'))
    expect(error).toMatchObject({
      code: 'WRITE_FAILED',
      message: `Could not write ${file}: EIO: i/o error, fsync`,
      cause: broken,
    })
    expect(readFileSync(file, 'utf8')).toBe('old')
    expect(readdirSync(path.dirname(file))).toEqual(['file'])
  })

  test('no descriptor is left open', () => {
    const folder = scratchFolder()
    const lines = fsCalls(['openSync', 'closeSync'])
    writeFileAtomic(path.join(folder, 'file'), 'new')
    expect(named(lines)).toEqual([
      `openSync ${folder}/TEMPORARY`,
      `closeSync ${folder}/TEMPORARY`,
      `openSync ${folder}`,
      `closeSync ${folder}`,
    ])
  })

  test('none is left open by a write that is not wanted, and none is closed twice', () => {
    const folder = scratchFolder()
    const closed = fsCalls(['closeSync'])
    const pending = prepareWrite(path.join(folder, 'file'), 'new')
    pending.discard()
    pending.discard()
    expect(named(closed)).toEqual([`closeSync ${folder}/TEMPORARY`, `closeSync ${folder}`])
  })
})

test('a write that is prepared and then not wanted leaves nothing behind', () => {
  const file = path.join(scratchFolder(), 'file')
  writeFileSync(file, 'old')
  const pending = prepareWrite(file, 'new')
  expect(readdirSync(path.dirname(file))).toHaveLength(2)
  pending.discard()
  expect(readdirSync(path.dirname(file))).toEqual(['file'])
  expect(readFileSync(file, 'utf8')).toBe('old')
  // Twice is not too often: whoever gives up need not know how far it came.
  expect(() => pending.discard()).not.toThrow()
})

test('a file is for us alone from the first moment, not only once it is whole', () => {
  const folder = scratchFolder()
  const modes: number[] = []
  const umask = process.umask(0)
  try {
    fsCalls(['fchmodSync'], (line) => modes.push(statSync(line.slice('fchmodSync '.length)).mode & 0o777))
    writeFileAtomic(path.join(folder, 'file'), 'secret')
  } finally {
    process.umask(umask)
  }
  expect(modes).toEqual([0o600])
})

describe('what a killed writer has left', () => {
  const GONE = 2 ** 22 + 1
  const NOW = Date.now() / 1000
  const HOUR_AGO = NOW - 3600
  const DAYS_AGO = NOW - 2 * 24 * 3600

  function leave(file: string, name: string, writtenAt: number): string {
    const left = `${file}.${name}`
    writeFileSync(left, 'half')
    utimesSync(left, writtenAt, writtenAt)
    return path.basename(left)
  }

  test('is removed by the next writer of the same file', () => {
    const file = path.join(scratchFolder(), 'file')
    leave(file, `${GONE}.0123abcd.tmp`, HOUR_AGO)
    leave(file, `${GONE}.0123abce.tmp`, DAYS_AGO)
    // A zombie, a stranger by now, or, in a container, the number that the writer always has.
    leave(file, `${process.pid}.0123abcf.tmp`, DAYS_AGO)
    writeFileAtomic(file, 'new')
    expect(readdirSync(path.dirname(file))).toEqual(['file'])
  })

  test.for([
    ['of a writer that lives', 'file', `${process.pid}.0123abcd.tmp`, HOUR_AGO],
    ['just now, perhaps by a process of another container', 'file', `${GONE}.0123abcd.tmp`, NOW],
    ['of another file', 'file2', `${GONE}.0123abcd.tmp`, DAYS_AGO],
    ['of another program', 'file', `${GONE}.backup.tmp`, DAYS_AGO],
  ] as const)('stays if it is, or may be, somebody’s: %s', ([, stem, name, writtenAt]) => {
    const folder = scratchFolder()
    const left = leave(path.join(folder, stem), name, writtenAt)
    writeFileAtomic(path.join(folder, 'file'), 'new')
    expect(readdirSync(folder)).toEqual(['file', left])
  })
})

describe('a write that fails leaves the old file, and no other:', () => {
  test('in a folder that may not be written to', () => {
    const folder = scratchFolder()
    const file = path.join(folder, 'file')
    writeFileSync(file, 'old')
    chmodSync(folder, 0o555)
    const error = asNobody(() => thrownBy(() => writeFileAtomic(file, 'new')))
    chmodSync(folder, 0o755)
    expect(error.code).toBe('WRITE_FAILED')
    expect(error.message).toMatch(/^Could not write .*file: EACCES/)
    expect(readFileSync(file, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['file'])
  })

  test('in a folder that does not exist', () => {
    const file = path.join(scratchFolder(), 'missing', 'file')
    expect(thrownBy(() => writeFileAtomic(file, 'new')).code).toBe('WRITE_FAILED')
  })

  test('in the place of a folder', () => {
    const folder = scratchFolder()
    mkdirSync(path.join(folder, 'file'))
    expect(thrownBy(() => writeFileAtomic(path.join(folder, 'file'), 'new')).code).toBe('WRITE_FAILED')
    expect(readdirSync(folder)).toEqual(['file'])
  })

  test('on a full disk', async (context) => {
    const mount = canMount(context)
    const folder = scratchFolder()
    const file = path.join(folder, 'file')
    const steps = [
      'mount -t tmpfs -o size=64k none "$1"',
      'printf old > "$1/file"',
      '"$2" "$3" "$1/file" 100000',
      'cat "$1/file"; echo; ls "$1"',
    ]
    const script = path.resolve(import.meta.dirname, '../../fixtures/programs/write-once.ts')
    const shell = runProgram([
      ...mount,
      'sh',
      '-ec',
      steps.join('\n'),
      'sh',
      folder,
      process.execPath,
      script,
    ])
    expect(await shell.exited).toMatchObject({ code: 0 })
    expect(shell.output).toBe(
      `WRITE_FAILED: Could not write ${file}: ENOSPC: no space left on device, write\nold\nfile\n`,
    )
  })
})

test('a link is replaced, not followed', () => {
  const folder = scratchFolder()
  const target = path.join(folder, 'target')
  writeFileSync(target, 'someone’s')
  symlinkSync(target, path.join(folder, 'file'))
  writeFileAtomic(path.join(folder, 'file'), 'ours')
  expect(readFileSync(target, 'utf8')).toBe('someone’s')
  expect(readFileSync(path.join(folder, 'file'), 'utf8')).toBe('ours')
})
