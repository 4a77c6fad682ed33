import { execFileSync } from 'node:child_process'
import {
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/errors.ts'
import { isLocked, tryLock } from '../../src/files/lock.ts'
import { fsCalls } from '../fixtures/fs-calls.ts'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'

const newLock = () => path.join(scratchFolder(), 'agent.lock')

test('a lock is held until it is released', async () => {
  const file = newLock()
  const lock = await tryLock(file)
  expect(await tryLock(file)).toBeUndefined()
  lock?.release()
  const again = await tryLock(file)
  expect(again).toBeDefined()
  again?.release()
})

test('its file is ours alone, and stays', async () => {
  const file = newLock()
  const lock = await tryLock(file)
  lock?.release()
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a lock that is there already is asked for both rights', async () => {
  const file = newLock()
  writeFileSync(file, '')
  const asked = fsCalls(['accessSync'])
  const lock = await tryLock(file)
  expect(asked).toEqual([`accessSync ${file} ${constants.R_OK | constants.W_OK}`])
  lock?.release()
})

test('another process’s lock is not free, and a kill of that process frees it', async () => {
  const file = newLock()
  const holder = runFixture('hold-lock.ts', [file])
  await holder.printed(/held/)
  expect(await tryLock(file)).toBeUndefined()
  await holder.stop('SIGKILL')
  const lock = await tryLock(file)
  expect(lock).toBeDefined()
  const late = runFixture('hold-lock.ts', [file])
  await late.printed(/not free/)
  lock?.release()
})

test('of ten processes that ask at once one gets it', async () => {
  const file = newLock()
  const asking = Array.from({ length: 10 }, () => runFixture('hold-lock.ts', [file]))
  const answers = await Promise.all(asking.map((one) => one.printed(/held|not free/)))
  expect(answers.filter(([answer]) => answer === 'held')).toHaveLength(1)
})

test('who asks for a lock that is held gets the answer at once, and keeps nothing open', async () => {
  const file = newLock()
  const lock = await tryLock(file)
  const ask = async () => [await tryLock(file), await isLocked(file)]
  const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)
  // SQLite closes no descriptor of a file that this process has locked; it uses the first ones again.
  await ask()
  const before = descriptors()
  const asked = performance.now()
  for (let time = 0; time < 5; time++) expect(await ask()).toEqual([undefined, true])
  expect(descriptors()).toBe(before)
  // No wait for the holder, however short.
  expect(performance.now() - asked).toBeLessThan(1000)
  lock?.release()
})

describe('looking at a lock', () => {
  test('tells whether it is held, and takes nothing', async () => {
    const file = newLock()
    expect(await isLocked(file)).toBe(false)
    expect(existsSync(file)).toBe(false)
    const lock = await tryLock(file)
    expect(await isLocked(file)).toBe(true)
    lock?.release()
    expect(await isLocked(file)).toBe(false)
    const again = await tryLock(file)
    expect(again).toBeDefined()
    again?.release()
  })

  test('tells of another process’s too', async () => {
    const file = newLock()
    const holder = runFixture('hold-lock.ts', [file])
    await holder.printed(/held/)
    expect(await isLocked(file)).toBe(true)
    await holder.stop('SIGKILL')
    expect(await isLocked(file)).toBe(false)
  })

  test('needs no right to write', async () => {
    const file = newLock()
    const lock = await tryLock(file)
    const asked = fsCalls(['accessSync'])
    expect(await isLocked(file)).toBe(true)
    expect(asked).toEqual([`accessSync ${file} ${constants.R_OK}`])
    lock?.release()
  })
})

const NOT_OURS = ['If no agent runs here, remove it: nothing is kept in it.']

describe('is an error, neither a lock that is held nor one that is free:', () => {
  test.for([
    ['a folder in the place of the file', (file: string) => mkdirSync(file), 'it is not a file'],
    ['a FIFO, which is not waited for', (file: string) => execFileSync('mkfifo', [file]), 'it is not a file'],
    [
      'a file that is no lock',
      (file: string) => writeFileSync(file, 'x'.repeat(4096)),
      'file is not a database',
    ],
  ] as const)('%s, which may be removed', async ([, put, why]) => {
    const file = newLock()
    put(file)
    const taken = await rejectionOf(tryLock(file))
    expect(taken).toMatchObject({ code: 'WRITE_FAILED', message: `Could not lock ${file}: ${why}` })
    expect(taken.hints).toEqual(NOT_OURS)
    const seen = await rejectionOf(isLocked(file))
    expect(seen).toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: `Could not look at the lock ${file}: ${why}`,
      cause: expect.objectContaining({ message: why }) as Error,
    })
    expect(seen.hints).toEqual(NOT_OURS)
  })

  test('one that may not be used', async () => {
    const file = newLock()
    writeFileSync(file, '')
    // Root may use all of them: so what the kernel says to others is said here.
    const denied = new Error('EACCES: permission denied, access')
    fsCalls(['accessSync'], () => {
      throw denied
    })
    const taken = await rejectionOf(tryLock(file))
    expect(taken).toMatchObject({
      code: 'WRITE_FAILED',
      message: `Could not lock ${file}: ${denied.message}`,
    })
    expect(taken.hints).not.toEqual(NOT_OURS)
    const seen = await rejectionOf(isLocked(file))
    expect(seen.message).toBe(`Could not look at the lock ${file}: ${denied.message}`)
    expect(seen.cause).toBe(denied)
  })

  test('one in a folder that does not exist', async () => {
    const file = path.join(newLock(), 'missing', 'x.lock')
    const error = await rejectionOf(tryLock(file))
    expect(error).toMatchObject({ code: 'WRITE_FAILED', cause: expect.any(Error) as Error })
    expect(error.message).toMatch(/^Could not lock .*: ENOENT/)
    expect(error.hints).not.toEqual(NOT_OURS)
    // Nobody can hold what is not there.
    expect(await isLocked(file)).toBe(false)
  })
})

describe('a lock whose file was deleted', () => {
  test('is taken again, on the new one', async () => {
    const file = newLock()
    const lock = (await tryLock(file))!
    expect(await lock.look()).toBe(true)
    rmSync(file)
    expect(await lock.look()).toBe(true)
    const late = runFixture('hold-lock.ts', [file])
    await late.printed(/not free/)
    lock.release()
    const last = runFixture('hold-lock.ts', [file])
    await last.printed(/held/)
  })

  test('is lost to whoever was quicker, until that one lets go', async () => {
    const file = newLock()
    const lock = (await tryLock(file))!
    rmSync(file)
    const other = runFixture('hold-lock.ts', [file])
    await other.printed(/held/)
    expect(await lock.look()).toBe(false)
    await other.stop('SIGKILL')
    expect(await lock.look()).toBe(true)
    lock.release()
    expect(await lock.look()).toBe(false)
  })
})

test('a lock that is taken again keeps nothing of the file that is gone, and may be let go of twice', async () => {
  const file = newLock()
  const lock = await tryLock(file)
  const gone = () => readdirSync('/proc/self/fd').filter((fd) => isDeleted(`/proc/self/fd/${fd}`, file))
  rmSync(file)
  if (process.platform === 'linux') expect(gone()).not.toEqual([])
  expect(await lock!.look()).toBe(true)
  if (process.platform === 'linux') expect(gone()).toEqual([])
  lock!.release()
  lock!.release()
  expect(await isLocked(file)).toBe(false)
})

/** proc(5): so it says where the link of a descriptor leads. */
function isDeleted(descriptor: string, file: string): boolean {
  try {
    return readlinkSync(descriptor) === `${file} (deleted)`
  } catch (error) {
    // The one by which the folder is read.
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

test('a lock whose file can’t be looked at any more is an error', async () => {
  const file = newLock()
  const lock = await tryLock(file)
  rmSync(file)
  symlinkSync(file, file)
  const error = await rejectionOf(lock!.look())
  expect(error.code).toBe('WRITE_FAILED')
  expect(error.message).toMatch(/^Could not look at the lock .*: ELOOP/)
  lock!.release()
})
