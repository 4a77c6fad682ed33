import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import { writeProcessRecord } from '../../../src/control/process-record.ts'
import { ERRORS } from '../../../src/error-codes.ts'
import { drive, stepless } from '../../../src/platforms/conformance/harness/drive.ts'
import type {
  Action,
  Daemon,
  Platform,
  PlatformStatus,
  PluginPlatform,
  Stepless,
} from '../../../src/platforms/platform.ts'
import { selectPlatform } from '../../../src/platforms/selection/select.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { stepsTaken } from '../../fixtures/steps-taken.ts'
import { rejectionOf, thrownBy } from '../../fixtures/thrown-by.ts'

const daemon: Daemon = { command: ['/bin/true'], env: {}, cwd: '/', logFile: '/dev/null' }
const RUNNING = { state: 'running', installed: true, autostart: 'never' } as const
const options = { isReady: async () => false, stableMs: 1000 }

/** What a plugin brings may be anything. */
type Brought = { [method in keyof Stepless]?: unknown }

async function pick(load: () => unknown, pluginTimeoutMs?: number): Promise<Stepless> {
  const platform = await pickAs(1, load, pluginTimeoutMs)
  return { ...stepless(platform), stop: () => drive(() => platform.stop(RUNNING)) }
}

async function pickAs(
  apiVersion: 1 | 2,
  load: () => unknown,
  pluginTimeoutMs = 30_000,
  instance = instanceFor(path.resolve('staging.json')),
): Promise<Platform> {
  const context = { instance, env: { CONNECT_PLATFORM: 'openrc' } }
  const openrc = {
    apiVersion,
    name: 'openrc',
    summary: 'kept alive by openrc',
    probe: async () => ({ available: true }),
    isInstalled: async () => true,
    load,
  }
  const plugins = async () => ({ platforms: [{ plugin: 'plugin', answer: openrc }], problems: [] })
  const { description } = await selectPlatform({ context, purpose: 'use', plugins, pluginTimeoutMs })
  return description.load(context)
}

const loaded = (brought: Brought, timeoutMs?: number) => pick(async () => brought, timeoutMs)

const CALLS: Record<Exclude<keyof Stepless, 'plan'>, (platform: Stepless) => Promise<unknown>> = {
  install: (platform) => platform.install(daemon, options),
  uninstall: (platform) => platform.uninstall(),
  start: (platform) => platform.start(daemon, options),
  stop: (platform) => platform.stop(),
  status: (platform) => platform.status(),
}
const methods = Object.keys(CALLS) as (keyof typeof CALLS)[]

function throwing(error: unknown) {
  return async () => {
    throw error
  }
}

describe.for(methods)('%s', (method) => {
  const call = async (brought: Brought, timeoutMs?: number) =>
    rejectionOf(CALLS[method](await loaded(brought, timeoutMs)))

  test('tells in one sentence what the plugin threw', async () => {
    const thrown = new Error('rc-service is not there.')
    const { code, message, hints, cause } = await call({ [method]: throwing(thrown) })
    expect({ code, message }).toEqual({
      code: 'PLATFORM_FAILED',
      message: 'Platform openrc: rc-service is not there',
    })
    expect(hints).toEqual([ERRORS.PLATFORM_FAILED.fix])
    expect(cause).toBe(thrown)
  })

  test('is an error when the plugin has no such method', async () => {
    const { code, message } = await call({ [method]: 'text' })
    expect({ code, message }).toEqual({
      code: 'PLATFORM_FAILED',
      message: `Platform openrc: ${method}() is missing`,
    })
  })

  test('is not waited for without end', async () => {
    const { code, message } = await call({ [method]: () => new Promise(() => {}) }, 50)
    expect({ code, message }).toEqual({
      code: 'PLATFORM_FAILED',
      message: `Platform openrc: ${method}() gave no answer within 0.05 s`,
    })
  })
})

describe('what a plugin throws', () => {
  const thrown = async (error: unknown) => rejectionOf((await loaded({ stop: throwing(error) })).stop())

  test.for(['DAEMON_FAILED', 'DAEMON_WONT_STOP', 'INSTALL_UNSUPPORTED'] as const)(
    'keeps its message and the code %s',
    async (code) => {
      const error = await thrown(Object.assign(new Error('Process exited with code 3'), { code }))
      expect(error).toMatchObject({ code, message: 'Process exited with code 3', hints: [ERRORS[code].fix] })
    },
  )

  test('may say what to do', async () => {
    const hints = ['Run: rc-update add', 'Then try again.']
    expect((await thrown(Object.assign(new Error('x'), { hints }))).hints).toEqual(hints)
    for (const wrong of ['text', [1], undefined]) {
      const error = await thrown(Object.assign(new Error('x'), { hints: wrong }))
      expect(error.hints).toEqual([ERRORS.PLATFORM_FAILED.fix])
    }
  })

  test.for(['ENOENT', 'toString', 42, undefined])('has no code of ours in %j', async (code) => {
    expect((await thrown(Object.assign(new Error('x'), { code }))).code).toBe('PLATFORM_FAILED')
  })

  test('may be the many lines of a program: the first is the error, some others stand below', async () => {
    const output = ['Command failed: sv up x', '', ...Array.from({ length: 9 }, (_, n) => `line ${n}`)]
    const { message, hints } = await thrown(new Error(output.join('\n')))
    expect(message).toBe('Platform openrc: Command failed: sv up x')
    expect(hints).toEqual(['line 0', 'line 1', 'line 2', 'line 3', 'line 4', ERRORS.PLATFORM_FAILED.fix])
  })

  test('reaches no terminal as control characters', async () => {
    const { message } = await thrown(new Error('\u001B[31mred'))
    expect(message).toBe(String.raw`Platform openrc: \u{1b}[31mred`)
  })

  test.for([
    ['text', 'text'],
    [new Error(''), 'it failed and did not say why'],
    [undefined, 'undefined'],
  ] as const)('may be no proper error', async ([what, said]) => {
    expect((await thrown(what)).message).toBe(`Platform openrc: ${said}`)
  })
})

describe('load()', () => {
  test('tells what the plugin threw', async () => {
    const { code, message } = await rejectionOf(pick(throwing(new Error('no such library'))))
    expect({ code, message }).toEqual({
      code: 'PLATFORM_FAILED',
      message: 'Platform openrc: no such library',
    })
  })

  test.for([undefined, null, 'text'])('that gives %j is an error', async (platform) => {
    const { code, message } = await rejectionOf(pick(async () => platform))
    expect({ code, message }).toEqual({
      code: 'PLATFORM_FAILED',
      message: 'Platform openrc: load() gave no platform',
    })
  })

  test('is not waited for without end', async () => {
    const { message } = await rejectionOf(pick(() => new Promise(() => {}), 50))
    expect(message).toBe('Platform openrc: load() gave no answer within 0.05 s')
  })
})

describe('an answer', () => {
  test.for([
    ['start', { pid: '7', ready: true }],
    ['start', { ready: true }],
    ['start', undefined],
    ['stop', 'gone'],
    ['stop', true],
    ['uninstall', 'gone'],
    ['install', 'done'],
    ['install', { pid: 7, ready: true, change: 'better', autostart: 'boot' }],
  ] as const)('of %s that is %j is refused', async ([method, answer]) => {
    const error = await rejectionOf(CALLS[method](await loaded({ [method]: async () => answer })))
    expect(error.code).toBe('PLATFORM_FAILED')
    expect(error.message).toMatch(
      new RegExp(`^Platform openrc: ${method}\\(\\) gave an answer that can’t be read \\(.*Invalid .*\\)$`),
    )
  })

  test('of the right shape is passed on, whether it is a promise or not', async () => {
    const platform = await loaded({
      start: () => ({ pid: 7, ready: false }),
      stop: () => undefined,
    })
    expect(await platform.start(daemon, options)).toEqual({ pid: 7, ready: false })
    expect(await platform.stop()).toBeUndefined()
  })

  test.for([
    [true, { removed: [], warnings: [] }],
    [false, undefined],
    [undefined, undefined],
    [{ removed: ['/a'] }, { removed: ['/a'], warnings: [] }],
  ] as const)('of uninstall may be short: %j', async ([answer, meant]) => {
    const platform = await loaded({ uninstall: () => answer })
    expect(await platform.uninstall()).toEqual(meant)
  })

  test.for([
    [false, 'created'],
    [true, 'updated'],
  ] as const)('of install may be none, and is then told by the status: installed before %j', async (row) => {
    const [installed, change] = row
    let isDone = false
    const platform = await loaded({
      install: () => void (isDone = true),
      status: () =>
        isDone
          ? { state: 'running', installed: true, autostart: 'boot', pid: 7 }
          : { state: 'stopped', installed, autostart: 'never' },
    })
    const ready = { ...options, isReady: async (pid: number) => pid === 7 }
    expect(await platform.install(daemon, ready)).toEqual({
      pid: 7,
      ready: true,
      change,
      autostart: 'boot',
      warnings: [],
    })
  })

  test('of install that is none warns of a start that may not be on boot, by the status’s own words', async () => {
    const status = () => ({ ...RUNNING, autostart: 'manager', bootHint: 'Have it started', pid: 7 })
    const platform = await loaded({ install: () => {}, status })
    expect(await platform.install(daemon, options)).toMatchObject({
      autostart: 'manager',
      warnings: ['Have it started'],
    })
  })

  test('of install that is none, with nothing running then, is an error', async () => {
    const status = () => ({ state: 'stopped', installed: true, autostart: 'boot' })
    const platform = await loaded({ install: () => {}, status })
    expect((await rejectionOf(platform.install(daemon, options))).message).toBe(
      'Platform openrc: install() did not start the daemon',
    )
  })

  test('of plan is passed on; where there is no plan, none is promised', async () => {
    const plan = { files: [{ file: '/a', content: 'b' }], commands: [['sv', 'up']], warnings: ['c'] }
    expect(await (await loaded({ plan: () => plan })).plan?.(daemon)).toEqual(plan)
    expect((await loaded({})).plan).toBeUndefined()
    const { message } = await rejectionOf((await loaded({ plan: () => [] })).plan!(daemon))
    expect(message).toMatch(/^Platform openrc: plan\(\) gave an answer that can’t be read/)
  })

  test('is asked of the plugin’s own object', async () => {
    class WithState {
      readonly #how = 'exited'
      async stop() {
        return this.#how
      }
    }
    expect(await (await loaded(new WithState() as Brought)).stop()).toBe('exited')
  })
})

describe('a status', () => {
  const statusOf = async (answer: unknown) => (await loaded({ status: async () => answer })).status()

  test('is passed on as it is', async () => {
    const status = {
      state: 'running',
      pid: 7,
      installed: true,
      autostart: 'boot',
      restarts: 3,
      startedAt: '2026-11-22T10:00:00.5+01:00',
      reason: 'x',
      notes: ['y'],
      lastExit: { code: 78, signal: null },
      doubled: 'z',
    }
    expect(await statusOf(status)).toEqual(status)
  })

  test('may be asked for without anything being changed', async () => {
    const asked: unknown[] = []
    const status = async (how: unknown) => {
      asked.push(how)
      return RUNNING
    }
    for (const version of [1, 2] as const)
      await (await pickAs(version, async () => ({ status }))).status({ lookOnly: true })
    expect(asked).toEqual([{ lookOnly: true }, { lookOnly: true }])
  })

  test('that does not say when the daemon starts by itself promises nothing', async () => {
    expect(await statusOf({ state: 'stopped', installed: true })).toEqual({
      state: 'stopped',
      installed: true,
      autostart: 'never',
    })
  })

  const good = { state: 'running', installed: true, autostart: 'boot' }
  test.for([
    ['nothing', undefined, false],
    ['null', null, false],
    ['text', 'running', false],
    ['an unknown state', { ...good, state: 'dreaming' }, true],
    ['notes that are no list', { ...good, notes: 'none' }, true],
    ['a pid that is text', { ...good, pid: '7' }, true],
    ['a pid that would signal a whole group', { ...good, pid: 0 }, true],
    ['no word on whether it is installed', { ...good, installed: undefined }, false],
    ['a time that is none', { ...good, startedAt: 'yesterday' }, true],
    ['a month that is none', { ...good, startedAt: '2026-13-22T10:00:00Z' }, true],
    ['a start at noon', { ...good, autostart: 'noon' }, true],
    ['a hint that is no text', { ...good, autostart: 'manager', bootHint: true }, true],
    ['an end that is no end', { ...good, lastExit: 'SIGKILL' }, true],
    ['less than no restarts', { ...good, restarts: -1 }, true],
  ] as const)('with %s is unknown, and says why', async ([, answer, installed]) => {
    expect(await statusOf(answer)).toEqual({
      state: 'unknown',
      installed,
      autostart: 'never',
      reason: expect.stringMatching(/^openrc gave a status that can’t be read \(.+\)$/),
    })
  })
})

describe('a platform that says its steps', () => {
  const inSteps = (brought: Partial<PluginPlatform>, timeoutMs?: number) =>
    pickAs(2, async () => brought, timeoutMs)

  test('has them run one after another, with what it has to say of them', async () => {
    class WithState {
      readonly #done: string[] = []
      stop({ pid }: PlatformStatus): Action<'killed'> {
        return {
          steps: [
            { title: 'Ask', run: async () => void this.#done.push(`ask ${pid}`) },
            { title: 'Wait', waitMs: 5000, run: async () => ({ skipped: this.#done.join() }) },
          ],
          result: () => 'killed',
        }
      }
    }
    const platform = await inSteps(new WithState())
    const action = platform.stop({ ...RUNNING, pid: 7 })
    expect(action.steps.map(({ title, waitMs }) => [title, waitMs])).toEqual([
      ['Ask', undefined],
      ['Wait', 5000],
      ['Remove the PID file', undefined],
    ])
    expect(await stepsTaken(action)).toEqual({
      taken: ['Ask: done', 'Wait: skipped (ask 7)', 'Remove the PID file: done'],
      result: 'killed',
    })
  })

  test('ends at the step that fails, or takes too long', async () => {
    const never = { title: 'After it', run: async () => expect.unreachable('it was run') }
    const failing = { title: 'Break', run: throwing(new Error('sv is not there.')) }
    const hanging = { title: 'Hang', run: () => new Promise<void>(() => {}) }
    for (const [step, message] of [
      [failing, 'Platform openrc: sv is not there'],
      [hanging, 'Platform openrc: start() gave no answer within 0.05 s'],
    ] as const) {
      const start = () => ({ steps: [step, never], result: () => ({ pid: 7, ready: true }) })
      const platform = await inSteps({ start }, 50)
      const { taken, error } = await stepsTaken(platform.start(daemon, options))
      expect(taken).toEqual([`${step.title}: failed`])
      expect(error).toMatchObject({ code: 'PLATFORM_FAILED', message })
    }
  })

  test.for([
    ['a promise', async () => ({ steps: [], result: () => undefined })],
    ['no steps', () => ({ result: () => undefined })],
    ['a step without a title', () => ({ steps: [{ run: async () => {} }], result: () => undefined })],
    ['a title for a step', () => ({ steps: ['Start'], result: () => undefined })],
    ['no result', () => ({ steps: [] })],
  ] as const)('whose answer is %s is refused, before anything is run', async ([, start]) => {
    const platform = await inSteps({ start } as object)
    expect(thrownBy(() => platform.start(daemon, options)).message).toMatch(
      /^Platform openrc: start\(\) gave an answer that can’t be read/,
    )
  })

  test('whose result has the wrong shape is refused', async () => {
    const platform = await inSteps({ start: () => ({ steps: [], result: () => ({ pid: 'x' }) }) } as object)
    expect(thrownBy(() => platform.start(daemon, options).result()).code).toBe('PLATFORM_FAILED')
  })
})

describe('an agent that was started in the background', () => {
  const instance = () => instanceFor(path.join(scratchFolder(), 'staging.json'))

  test('is found beside a platform that says stopped', async () => {
    const one = instance()
    const { pid } = writeProcessRecord(one, identityFor(one))
    const status = async () => ({ ...RUNNING, state: 'stopped' as const })
    const platform = await pickAs(2, async () => ({ status }), 30_000, one)
    expect(await platform.status()).toMatchObject({
      state: 'running',
      pid,
      notes: ['It runs in the background and not by openrc. Run: connect daemon restart'],
      background: { state: 'running', agent: { pid } },
    })
  })

  test.for(['running', 'starting', 'restarting', 'unknown'] as const)(
    'is not told from its own where that says %s',
    async (state) => {
      const one = instance()
      writeProcessRecord(one, identityFor(one))
      const status = async () => ({ ...RUNNING, state })
      const platform = await pickAs(2, async () => ({ status }), 30_000, one)
      expect(await platform.status()).toEqual({ ...RUNNING, state })
    },
  )
})
