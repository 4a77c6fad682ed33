import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { instanceFor, type Instance } from '../../src/config/instance.ts'
import { clearStale } from '../../src/control/process-end.ts'
import {
  endProcessRecord,
  readProcessRecord,
  writeProcessRecord,
  type InstanceProcess,
} from '../../src/control/process-record.ts'
import { findProcess } from '../../src/control/find-process.ts'
import { startControlServer } from '../../src/control/server.ts'
import { BackgroundPlatform } from '../../src/platforms/background/background.ts'
import { stepless } from '../../src/platforms/conformance/harness/drive.ts'
import { identityFor } from '../fixtures/identity.ts'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'

function emptyInstance(folder = scratchFolder()): Instance {
  return instanceFor(path.join(folder, 'staging.json'))
}

/** Another process holds the instance's lock, until the end of the test. */
async function held(instance: Instance): Promise<void> {
  await runFixture('hold-lock.ts', [instance.lockFile]).printed(/held/)
}

/** Something answers on the instance's socket as this agent. */
async function answering(instance: Instance, agent: InstanceProcess): Promise<void> {
  const status = {
    agent,
    agentId: 'agent_0123456789abcdef',
    label: 'x',
    hubUrl: 'https://hub.example.com',
    hub: { state: 'connecting', since: '2026-01-01T00:00:00.000Z' },
    services: [],
    streams: 0,
  } as const
  const control = await startControlServer(instance, {
    status: () => ({ ...status, services: [] }),
    offers: () => Promise.reject(new Error('not asked for')),
    hopsOf: () => undefined,
    expose: () => Promise.reject(new Error('not asked for')),
    unexpose: () => Promise.reject(new Error('not asked for')),
    keep: () => Promise.reject(new Error('not asked for')),
    unreach: () => Promise.reject(new Error('not asked for')),
  })
  onTestFinished(() => control.close())
}

test('an agent is found from its record to its end', async () => {
  const instance = emptyInstance()
  expect(await findProcess(instance)).toEqual({ state: 'none' })
  const record = writeProcessRecord(instance, identityFor(instance))
  expect(await findProcess(instance)).toEqual({ state: 'running', agent: record })
  endProcessRecord(instance, { at: null, reason: 'x', code: 1, signal: null, fix: null })
  expect(await findProcess(instance)).toEqual({ state: 'none' })
  expect(readProcessRecord(instance)).toMatchObject({ end: { code: 1 } })
})

/** As `daemon stop` does it. */
const stopAgent = (instance: Instance) => stepless(new BackgroundPlatform({ instance, env: {} })).stop()

describe('what is left of an agent that is gone is stale, and cleared away:', () => {
  const instance = instanceFor('/x/staging.json')
  test.for([
    ['a PID file alone, though a process has that number', String(process.pid), undefined],
    ['a PID file that holds no number', 'x', undefined],
    ['an empty PID file', '', undefined],
    ['a record of another start: the number was given again', undefined, { startTime: 'earlier' }],
    ['a record of another boot', undefined, { bootAndNamespace: 'earlier' }],
    [
      'a record of another container',
      undefined,
      { bootAndNamespace: `${identityFor(instance).bootAndNamespace}0` },
    ],
    [
      'a record that came with a copied folder, of an agent that lives',
      '1',
      { configFile: '/elsewhere.json' },
    ],
  ] as const)('%s', async ([, pid, other]) => {
    const instance = emptyInstance()
    if (other) writeProcessRecord(instance, identityFor(instance, other))
    if (pid !== undefined) writeFileSync(instance.pidFile, pid)
    expect(await findProcess(instance)).toEqual({ state: 'stale' })
    // Looking changes nothing.
    expect(existsSync(instance.pidFile)).toBe(true)
    expect(await stopAgent(instance)).toBeUndefined()
    expect(existsSync(instance.pidFile)).toBe(false)
    expect((await findProcess(instance)).state).toBe('none')
  })
})

test('the folder of a running agent, copied: the copy has no agent, and stop there does not end it', async () => {
  const original = emptyInstance()
  const agent = runFixture('be-agent.ts', [original.configFile])
  await agent.printed(/running/)
  const copy = emptyInstance(path.join(scratchFolder(), 'copy'))
  cpSync(original.folder, copy.folder, { recursive: true, filter: (file) => !file.endsWith('.sock') })
  expect((await findProcess(original)).state).toBe('running')
  expect((await findProcess(copy)).state).toBe('stale')
  expect(await stopAgent(copy)).toBeUndefined()
  expect((await findProcess(original)).state).toBe('running')
  expect(await stopAgent(original)).toBe('exited')
})

test('the copy’s own lock, held by whomever, does not make the original’s agent the copy’s', async () => {
  const original = emptyInstance()
  writeFileSync(original.configFile, '{}')
  const agent = runFixture('be-agent.ts', [original.configFile])
  await agent.printed(/running/)
  const copy = emptyInstance(path.join(scratchFolder(), 'copy'))
  cpSync(original.folder, copy.folder, { recursive: true, filter: (file) => !file.endsWith('.sock') })
  await held(copy)
  expect((await findProcess(copy)).state).toBe('unknown')
  expect((await rejectionOf(stopAgent(copy))).code).toBe('AGENT_ELSEWHERE')
  expect((await findProcess(original)).state).toBe('running')
})

test('a folder that was moved keeps its agent, and stop ends it', async () => {
  const original = emptyInstance()
  const agent = runFixture('be-agent.ts', [original.configFile])
  await agent.printed(/running/)
  // To the lock, a folder under another name is the same folder.
  const moved = emptyInstance(path.join(scratchFolder(), 'moved'))
  renameSync(original.folder, moved.folder)
  expect((await findProcess(moved)).state).toBe('running')
  expect(await stopAgent(moved)).toBe('exited')
})

test('whoever waits for the lock file, or deletes it, does not hide a running agent', async () => {
  const instance = emptyInstance()
  const agent = runFixture('be-agent.ts', [instance.configFile])
  await agent.printed(/running/)
  rmSync(instance.lockFile)
  expect(await findProcess(instance)).toMatchObject({ state: 'running', agent: { pid: agent.pid } })
})

test('what is stale is cleared away though a command looks at the lock just then', async () => {
  const instance = emptyInstance()
  writeFileSync(instance.pidFile, '1')
  const looking = runFixture('hold-lock.ts', [instance.lockFile])
  await looking.printed(/held/)
  const cleared = clearStale(instance)
  looking.kill('SIGKILL')
  expect(await cleared).toBe(true)
})

describe('an agent whose record was deleted or damaged', () => {
  test('still says on its socket who it is', async () => {
    const instance = emptyInstance()
    await held(instance)
    const agent = identityFor(instance)
    await answering(instance, agent)
    writeFileSync(instance.recordFile, '{"pid":')
    expect(await findProcess(instance)).toEqual({ state: 'running', agent })
  })

  test('and that says nothing either is unknown, never stopped', async () => {
    const instance = emptyInstance()
    await held(instance)
    const found = await findProcess(instance)
    expect(found).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('does not say') as string,
    })
    expect((await rejectionOf(stopAgent(instance))).code).toBe('AGENT_ELSEWHERE')
    expect(await clearStale(instance)).toBe(false)
  })
})

test('an agent in another container that shares the folder is told, and never signalled', async () => {
  const instance = emptyInstance()
  await held(instance)
  const record = writeProcessRecord(instance, identityFor(instance, { bootAndNamespace: 'boot pid:[1]' }))
  expect(await findProcess(instance)).toMatchObject({
    state: 'unknown',
    reason: expect.stringContaining('another container') as string,
  })
  expect((await rejectionOf(stopAgent(instance))).code).toBe('AGENT_ELSEWHERE')
  expect(readProcessRecord(instance)).toEqual(record)
})
