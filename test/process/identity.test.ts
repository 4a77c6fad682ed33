import { describe, expect, test } from 'vitest'
import { identify, isAlive, type ProcessIdentity } from '../../src/process/identity.ts'
import { waitFor } from '../../src/process/wait.ts'
import { runFixture, runProgram } from '../fixtures/run-fixture.ts'

function alive(pid: number): ProcessIdentity {
  const found = identify(pid)
  if (!found) throw new Error(`process ${pid} is not there`)
  return found
}

test('this process finds itself', () => {
  const self = alive(process.pid)
  expect(self.pid).toBe(process.pid)
  expect(isAlive(self)).toBe(true)
  expect(identify(process.pid)).toEqual(self)
})

test('a process that has ended is not alive, nor is its number anyone', async () => {
  const child = runFixture('on-sigterm.ts')
  await child.printed(/ready/)
  const identity = alive(child.pid)
  expect(isAlive(identity)).toBe(true)
  await child.stop('SIGKILL')
  expect(isAlive(identity)).toBe(false)
  expect(identify(child.pid)).toBeUndefined()
})

test.skipIf(process.platform === 'win32')('a zombie is dead', async () => {
  // `exec` leaves the shell's child to a program that never asks for it; by the end of that second it is there.
  const parent = runProgram(['sh', '-c', 'sleep 1 & echo "child $!"; exec sleep 60'])
  const [, pid] = await parent.printed(/child (\d+)/)
  const gone = () => (identify(Number(pid)) === undefined ? true : undefined)
  expect(await waitFor(gone, { timeoutMs: 30_000 })).toBe(true)
  // The number is still taken: it is the state that tells.
  expect(() => process.kill(Number(pid), 0)).not.toThrow()
})

test('a process is the same one under any name that it gives itself', async () => {
  const script = "process.title = ') Z 1 (a) 2'; setInterval(() => {}, 60000); console.log('ready')"
  const child = runProgram([process.execPath, '-e', script])
  await child.printed(/ready/)
  const { startTime } = alive(child.pid)
  expect(startTime).not.toBe('')
  expect(startTime).not.toBe(alive(process.pid).startTime)
  expect(isAlive(alive(child.pid))).toBe(true)
})

describe.skipIf(process.platform === 'win32')('a live process is not the one recorded when', () => {
  test('it started at another time', () => {
    const self = alive(process.pid)
    expect(isAlive({ ...self, startTime: `${self.startTime}0` })).toBe(false)
  })

  test('the record is from another boot, or another container', () => {
    const self = alive(process.pid)
    expect(isAlive({ ...self, world: `${self.world}0` })).toBe(false)
  })
})

test.for([0, 2 ** 22 + 1, 2 ** 31 - 1])('there is no process %i', (pid) => {
  expect(identify(pid)).toBeUndefined()
})
