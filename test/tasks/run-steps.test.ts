import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { ensureInstanceFolder, writeConfig } from '../../src/config/config.ts'
import { instanceFor, type Instance } from '../../src/config/instance.ts'
import { readProcessRecord } from '../../src/control/process-record.ts'
import { ConnectError } from '../../src/errors.ts'
import { BackgroundPlatform } from '../../src/platforms/background/background.ts'
import { background } from '../../src/platforms/background/description.ts'
import type { Daemon, Platform } from '../../src/platforms/platform.ts'
import { identify } from '../../src/process/identity.ts'
import type { DaemonContext } from '../../src/tasks/daemon-context.ts'
import { installDaemon } from '../../src/tasks/install.ts'
import { startDaemon } from '../../src/tasks/start.ts'
import { stopKept } from '../../src/tasks/stop.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { StepLog } from '../fixtures/steps-taken.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'
import { until } from '../helpers/until.ts'

const CHECK = 'Check the configuration'
const SPAWN = 'Spawn the agent'
const STABILISE = 'Wait up to 0.2 s for it to stabilise'
const VERIFY = 'Verify that it still runs'
const CLEAN_STOP = [
  'Send SIGTERM: done',
  'Wait up to 5 s for a clean exit: done',
  'Send SIGKILL: skipped (it has exited)',
  'Remove the PID file: done',
]
const done = (titles: readonly string[]) => titles.map((title) => `${title}: done`)

interface Machine {
  readonly instance: Instance
  readonly context: DaemonContext
  /** What became of the steps since it was last asked. */
  readonly taken: () => string[]
}

/** An instance with a config, and nothing that runs. */
function machine({ joined = true } = {}): Machine {
  const instance = instanceFor(path.join(scratchFolder(), 'staging.json'))
  if (joined) {
    ensureInstanceFolder(instance)
    const { crv, d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as Record<
      string,
      string
    >
    writeConfig(instance, {
      agentId: 'agent_0123456789abcdef',
      label: 'x',
      hub: 'http://127.0.0.1:1',
      hubId: 'hub_0123456789abcdef',
      insecure: false,
      key: { kty: 'OKP', crv: crv as 'Ed25519', x: x!, d: d! },
    })
  }
  const log = new StepLog()
  const context = {
    instance,
    platform: new BackgroundPlatform({ instance, env: {} }),
    description: background,
    root: '/nowhere',
    version: '0.1.0',
    hub: undefined,
    interactive: false,
    onStep: log.onStep,
  }
  onTestFinished(() => {
    const { pid } = readProcessRecord(instance) ?? {}
    if (pid !== undefined && identify(pid)) process.kill(pid, 'SIGKILL')
  })
  return { instance, context, taken: () => log.taken.splice(0) }
}

/** A program in the place of the agent: what it does is a line of shell. */
function running({ instance }: Machine, line: string): Daemon {
  const env = { PATH: process.env.PATH, CONNECT_DAEMON: '1' }
  return { command: ['/bin/sh', '-c', line], env, cwd: '/', logFile: instance.logFile }
}

const start = (one: Machine, line: string, options: { running?: 'keep' | 'stop' } = {}) =>
  startDaemon(one.context, running(one, line), { running: 'keep', stableMs: 200, ...options })

/** Once this file is there, the program ignores SIGTERM. */
const stubborn = (file: string) => `trap '' TERM; : >'${file}'; while :; do sleep 0.05; done`

/** From now on a second takes 10 ms. */
function hurry(): void {
  const now = performance.now.bind(performance)
  const begin = now()
  vi.spyOn(performance, 'now').mockImplementation(() => begin + (now() - begin) * 100)
}

afterEach(() => {
  vi.restoreAllMocks()
})

test('a start checks the configuration, spawns, waits until it is stable, and verifies', async () => {
  const one = machine()
  const { pid, outcome } = await start(one, 'exec sleep 100')
  expect({ outcome, alive: identify(pid) !== undefined }).toEqual({ outcome: 'started', alive: true })
  expect(one.taken()).toEqual(done([CHECK, SPAWN, STABILISE, VERIFY]))
  // Once more there is nothing to do, so there are no steps.
  expect(await start(one, 'exec sleep 100')).toMatchObject({ outcome: 'already running', pid })
  expect(one.taken()).toEqual([])
})

test('a stop sends SIGTERM, waits, has no need of SIGKILL, and removes the PID file', async () => {
  const one = machine()
  const { pid } = await start(one, 'exec sleep 100')
  expect(readFileSync(one.instance.pidFile, 'utf8')).toBe(`${pid}\n`)
  one.taken()
  expect(await stopKept(one.context)).toEqual({ stopped: 'exited', foregroundPid: null })
  expect(one.taken()).toEqual(CLEAN_STOP)
  expect(existsSync(one.instance.pidFile)).toBe(false)
  expect(readProcessRecord(one.instance)?.end).toMatchObject({ reason: 'ended by stop', signal: 'SIGTERM' })
  // There is nothing to stop, so there are no steps.
  expect(await stopKept(one.context)).toEqual({ stopped: null, foregroundPid: null })
  expect(one.taken()).toEqual([])
})

test('a stop of one that ignores SIGTERM sends SIGKILL', async () => {
  const one = machine()
  const mark = path.join(one.instance.folder, 'ready')
  const { pid } = await start(one, stubborn(mark))
  await until(() => existsSync(mark))
  one.taken()
  hurry()
  expect(await stopKept(one.context)).toEqual({ stopped: 'killed', foregroundPid: null })
  expect(one.taken()).toEqual([
    'Send SIGTERM: done',
    'Wait up to 5 s for a clean exit: done',
    'Send SIGKILL: done',
    'Remove the PID file: done',
  ])
  expect(identify(pid)).toBeUndefined()
  expect(readProcessRecord(one.instance)?.end).toMatchObject({
    reason: 'killed by stop, 5 s after SIGTERM',
    signal: 'SIGKILL',
  })
})

test('what a daemon leaves behind gets SIGKILL, though it has exited itself', async () => {
  const one = machine()
  await start(one, `trap 'exit 0' TERM; sleep 100 & while :; do sleep 0.05; done`)
  one.taken()
  expect((await stopKept(one.context)).stopped).toBe('exited')
  expect(one.taken()).toContain('Send SIGKILL: done')
})

test('a restart is all of a stop and all of a start, once the configuration is checked', async () => {
  const one = machine()
  const first = await start(one, 'exec sleep 100')
  one.taken()
  const { pid, stopped } = await start(one, 'exec sleep 100', { running: 'stop' })
  expect(stopped).toBe('exited')
  expect(pid).not.toBe(first.pid)
  expect(one.taken()).toEqual([`${CHECK}: done`, ...CLEAN_STOP, ...done([SPAWN, STABILISE, VERIFY])])
})

test.for([
  ['there is no configuration', { joined: false }, 'exec sleep 100', [], CHECK, 'NOT_CONFIGURED'],
  ['the program ends at once', {}, 'exit 3', [CHECK, SPAWN, STABILISE], VERIFY, 'DAEMON_FAILED'],
  ['a signal ends it', {}, 'kill -9 $$', [CHECK, SPAWN, STABILISE], VERIFY, 'DAEMON_FAILED'],
  [
    'it ends while it is watched',
    {},
    'sleep 0.1; exit 1',
    [CHECK, SPAWN, STABILISE],
    VERIFY,
    'DAEMON_FAILED',
  ],
] as const)('a start fails at its step where %s', async ([, wish, line, before, failing, code]) => {
  const one = machine(wish)
  expect((await rejectionOf(start(one, line))).code).toBe(code)
  expect(one.taken()).toEqual([...done(before), `${failing}: failed`])
  expect((await one.context.platform.status()).state).toBe('stopped')
})

test('a start fails at the spawn where the program is missing', async () => {
  const one = machine()
  const daemon = { ...running(one, ''), command: ['/nowhere/node'] as const }
  const error = await rejectionOf(startDaemon(one.context, daemon, { running: 'keep', stableMs: 200 }))
  expect(error.code).toBe('DAEMON_FAILED')
  expect(one.taken()).toEqual([`${CHECK}: done`, `${SPAWN}: failed`])
})

test('what a start can’t do is found out before a restart stops anything', async () => {
  const one = machine()
  const { pid } = await start(one, 'exec sleep 100')
  one.taken()
  writeFileSync(one.instance.configFile, '{', { mode: 0o600 })
  expect((await rejectionOf(start(one, 'exec sleep 100', { running: 'stop' }))).code).toBe('CONFIG_DAMAGED')
  expect(one.taken()).toEqual([`${CHECK}: failed`])
  expect(identify(pid)).toBeDefined()
})

test('the daemon can’t be installed as a background process, and that takes no step', async () => {
  const one = machine()
  const selection = { description: background, reasons: [], problems: [] }
  const installing = installDaemon(one.context, running(one, ''), selection, () => {})
  expect((await rejectionOf(installing)).code).toBe('INSTALL_UNSUPPORTED')
  expect(one.taken()).toEqual([])
})

/** A service manager that has nothing to do with the daemon in the background. */
function serviceManager(one: Machine, install: () => Promise<void>): DaemonContext {
  const platform: Platform = {
    status: async () => ({ ...(await one.context.platform.status()), state: 'running' }),
    install: () => ({
      steps: [{ title: 'Install it', run: install }],
      result: () => ({ pid: process.pid, ready: true, change: 'created', autostart: 'boot', warnings: [] }),
    }),
    uninstall: () => ({ steps: [], result: () => undefined }),
    start: () => expect.unreachable('it is installed'),
    stop: () => ({ steps: [], result: () => undefined }),
  }
  const description = { ...background, name: 'openrc', probe: async () => ({ available: true }) as const }
  return { ...one.context, platform, description }
}

test('a service manager takes over from the daemon in the background, once nothing speaks against it', async () => {
  const one = machine()
  const { pid } = await start(one, 'exec sleep 100')
  one.taken()
  const context = serviceManager(one, async () => {
    expect(identify(pid)).toBeUndefined()
  })
  const selection = { description: context.description, reasons: [], problems: [] }
  await installDaemon(context, running(one, ''), selection, () => {})
  expect(one.taken()).toEqual([`${CHECK}: done`, ...CLEAN_STOP, 'Install it: done'])
})

test('where it then fails, it is said that the daemon in the background was stopped', async () => {
  const one = machine()
  await start(one, 'exec sleep 100')
  one.taken()
  const context = serviceManager(one, async () => {
    throw new ConnectError('SERVICE_MANAGER_FAILED', 'It does not take it')
  })
  const selection = { description: context.description, reasons: [], problems: [] }
  const error = await rejectionOf(installDaemon(context, running(one, ''), selection, () => {}))
  expect(error.hints.at(-1)).toBe(
    'The background daemon was stopped. To start it again: connect daemon start',
  )
  expect(one.taken()).toEqual([`${CHECK}: done`, ...CLEAN_STOP, 'Install it: failed'])
})
