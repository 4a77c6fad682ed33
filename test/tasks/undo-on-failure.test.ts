import { expect, test } from 'vitest'
import { ConnectError } from '../../src/errors.ts'
import type { PlatformStatus } from '../../src/platforms/platform.ts'
import { undoOnFailure } from '../../src/tasks/steps/undo-on-failure.ts'
import { contextWith, DAEMON } from '../fixtures/kept-context.ts'

const INSTALLED = { installed: true, autostart: 'boot' } as const
const BEFORE: PlatformStatus = { state: 'running', pid: 11, ...INSTALLED }

/** A step fails, and then the platform says `found`. @returns what was done, in order, and what is told */
async function afterFailure(found: PlatformStatus, { wontStop = false } = {}) {
  const done: string[] = []
  const act = (what: string) => ({ title: what, run: async () => void done.push(what) })
  const refuse = async () => {
    throw new ConnectError('DAEMON_WONT_STOP', 'Process 12 is still there')
  }
  const context = contextWith({
    status: async () => found,
    stop: () => ({
      steps: [wontStop ? { title: 'stop', run: refuse } : act('stop')],
      result: () => 'exited',
    }),
    start: () => ({ steps: [act('start')], result: () => ({ pid: 13, ready: true }) }),
  })
  const kept = {
    prepare: () => true,
    undo: () => done.push('undo') > 0,
    hear: async () => undefined,
  }
  const failing = async () => {
    throw new ConnectError('DAEMON_FAILED', 'Daemon failed to start', { hints: ['why'] })
  }
  const steps = undoOnFailure([{ title: 'install', run: failing }], context, kept, {
    daemon: DAEMON,
    before: BEFORE,
  })
  const error = await steps[0]!.run().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'DAEMON_FAILED', hints: ['why', expect.anything()] })
  return { done, told: (error as ConnectError).hints[1] }
}

test('what was not stopped yet runs on', async () => {
  expect(await afterFailure(BEFORE)).toEqual({ done: ['undo'], told: 'Its settings are as before.' })
})

test('what was stopped is started again', async () => {
  expect(await afterFailure({ state: 'stopped', ...INSTALLED })).toEqual({
    done: ['undo', 'start'],
    told: 'It runs again with the settings of before (PID: 13).',
  })
})

test.for(['running', 'restarting'] as const)(
  'what the platform has started meanwhile had read the settings that did not work: it is started anew (%s)',
  async (state) => {
    expect(await afterFailure({ state, pid: 12, ...INSTALLED })).toEqual({
      done: ['undo', 'stop', 'start'],
      told: 'It runs again with the settings of before (PID: 13).',
    })
  },
)

test('and if that does not stop, it is said', async () => {
  const { done, told } = await afterFailure({ ...BEFORE, pid: 12 }, { wontStop: true })
  expect(done).toEqual(['undo'])
  expect(told).toBe(
    'Its settings are as before, and it does not run with them (Process 12 is still there). To have it do so: connect daemon restart',
  )
})
