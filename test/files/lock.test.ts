import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { tryLock } from '../../src/files/lock.ts'
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

test.for([
  ['a folder that does not exist', (file: string) => path.join(file, 'missing', 'x.lock')],
  ['a folder in the place of the file', (file: string) => (mkdirSync(file), file)],
  ['a file that is no lock', (file: string) => (writeFileSync(file, 'x'.repeat(4096)), file)],
] as const)('%s is an error, not a lock that is held', async ([, prepare]) => {
  const file = prepare(newLock())
  const error = await rejectionOf(tryLock(file))
  expect(error.code).toBe('WRITE_FAILED')
  expect(error.message).toMatch(/^Could not lock /)
})
