import { readFileSync, readlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  identify,
  isAlive,
  isSameBoot,
  isSameProcess,
  type ProcessIdentity,
} from '../../src/process/identity.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { fsCalls } from '../fixtures/fs-calls.ts'
import { runFixture, runProgram } from '../fixtures/run-fixture.ts'

function alive(pid: number): ProcessIdentity {
  const found = identify(pid)
  if (!found) throw new Error(`process ${pid} is not there`)
  return found
}

// The first of all: what is found out of the boot is kept.
test.runIf(process.platform === 'linux')(
  'on Linux a process is its start, the boot and the PID namespace',
  () => {
    const stat = readFileSync('/proc/self/stat', 'latin1')
    expect(alive(process.pid)).toEqual({
      pid: process.pid,
      startTime: stat.replace(/^.*\) /s, '').split(' ')[19],
      bootAndNamespace: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`,
    })
  },
)

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
  // `exec` leaves the shell's child to a program that never asks for it; by the end of that second it is
  // there.
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
    expect(isAlive({ ...self, bootAndNamespace: `${self.bootAndNamespace}0` })).toBe(false)
  })
})

test.for([0, 2 ** 22 + 1, 2 ** 31 - 1])('there is no process %i', (pid) => {
  expect(identify(pid)).toBeUndefined()
})

describe.runIf(process.platform === 'linux')('where there is a /proc', () => {
  test('a process that ends while it is looked up is not there', () => {
    alive(process.pid)
    const ended = Object.assign(new Error('ESRCH: no such process, read'), { code: 'ESRCH' })
    fsCalls(['readFileSync'], () => {
      throw ended
    })
    expect(identify(process.pid)).toBeUndefined()
  })

  test.for(['EACCES', 'EMFILE', undefined])(
    'one that can’t be looked up, by %s, is not taken for dead',
    (code) => {
      alive(process.pid)
      const unreadable = Object.assign(new Error('not now'), { code })
      fsCalls(['readFileSync'], () => {
        throw unreadable
      })
      expect(() => identify(process.pid)).toThrow(unreadable)
    },
  )
})

describe('of two that were recorded', () => {
  const one: ProcessIdentity = { pid: 7, startTime: '70', bootAndNamespace: 'boot pid:[1]' }

  test('it is the same process if number, start and world are the same', () => {
    expect(isSameProcess(one, { ...one })).toBe(true)
    for (const other of [{ pid: 8 }, { startTime: '71' }, { bootAndNamespace: 'boot pid:[2]' }])
      expect(isSameProcess(one, { ...one, ...other }), JSON.stringify(other)).toBe(false)
  })

  test('another container of the same machine is the same boot', () => {
    const [boot] = alive(process.pid).bootAndNamespace.split(' ')
    expect(isSameBoot({ ...one, bootAndNamespace: `${boot} pid:[1]` })).toBe(true)
    expect(isSameBoot({ ...one, bootAndNamespace: `${boot}0 pid:[1]` })).toBe(false)
  })
})
