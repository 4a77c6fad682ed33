import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { displayLine } from '../../../src/log/line.ts'
import { identify } from '../../../src/process/identity.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { StartReport } from '../../../src/tasks/start.ts'
import type { DaemonStatus } from '../../../src/tasks/status.ts'
import { atOnce } from '../../fixtures/at-once.ts'
import { joined } from '../../fixtures/joined.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { testVariations } from '../../helpers/variations.ts'
import { World } from '../../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

const PRELOAD = pathToFileURL(
  path.join(import.meta.dirname, '..', '..', 'fixtures', 'programs', 'crash-agent.ts'),
).href

/** An environment in which the agent ends at a stage of its start, see fixtures/programs/crash-agent.ts. */
function injected(stage: string, manner: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=${PRELOAD}`, CRASH_STAGE: stage, CRASH_MANNER: manner }
}

interface Manner {
  readonly manner: string
  /** How `daemon start` names the end of the process. */
  readonly words: string
  readonly code: number | null
  readonly signal: string | null
}

const BY_ITSELF: readonly Manner[] = [
  { manner: 'exit 3', words: 'exited with code 3', code: 3, signal: null },
  { manner: 'exit 78', words: 'exited with code 78', code: 78, signal: null },
  { manner: 'throw', words: 'exited with code 1', code: 1, signal: null },
]
const BY_SIGNAL: readonly Manner[] = [
  { manner: 'signal SIGKILL', words: 'was ended by SIGKILL', code: null, signal: 'SIGKILL' },
  { manner: 'signal SIGSEGV', words: 'was ended by SIGSEGV', code: null, signal: 'SIGSEGV' },
  { manner: 'abort', words: 'was ended by SIGABRT', code: null, signal: 'SIGABRT' },
]

const STAGES = [
  'before its log is opened',
  'before it takes the lock',
  'with the lock, before its record',
  'between its record and its PID file',
  'with its record, before its socket',
  'with its socket, before it connects',
  'once it is registered at the hub',
] as const

const logSize = (home: Home) => statSync(home.file('daemon.log'), { throwIfNoEntry: false })?.size ?? 0

/** What the agent has logged, since the log was that long and the one before it has stopped. */
function loggedSince(home: Home, size: number): string[] {
  const text = readFileSync(home.file('daemon.log')).subarray(size).toString('utf8')
  const lines = text.split('\n').slice(0, -1)
  return lines.slice(lines.findLastIndex((line) => line.endsWith(' Stopped')) + 1)
}

async function statusOf(home: Home): Promise<DaemonStatus> {
  return JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as DaemonStatus
}

async function startedPid(home: Home): Promise<number> {
  const report = JSON.parse(await connectOk(home, ['daemon', 'start', '--json'])) as StartReport
  expect(report).toMatchObject({ outcome: 'started', hub: { state: 'connected' } })
  return report.pid
}

function pidIn(output: string): number {
  return Number(/PID: (\d+)/.exec(output)?.[1])
}

/** The command fails, and every word that it says is true; so is what status says then. */
async function expectFailure(
  home: Home,
  action: 'start' | 'restart',
  env: NodeJS.ProcessEnv,
  { manner, words, code, signal }: Manner,
): Promise<void> {
  const size = logSize(home)
  const result = await connect(home, ['daemon', action], { env })
  const what = `${action} with ${manner}: ${result.stdout}${result.stderr}`
  expect(result.code, what).toBe(1)
  expect(result.stdout, what).not.toContain('[ok]')
  const logged = loggedSince(home, size)
  const said = [
    `[x] Daemon failed to start: Process ${words}`,
    '  Check logs: ~/.privateconnect/daemon.log',
    ...logged.slice(-10).map((line) => `    ${displayLine(line)}`),
  ]
  expect(result.stderr.split('\n'), what).toEqual([...said, ''])
  if (manner === 'throw') expect(logged.join('\n'), what).toContain('injected')

  const status = await statusOf(home)
  expect(status, what).toMatchObject({ status: 'stopped', pid: null, cleanedUpStalePid: false })
  expect(status.lastExit, what).toMatchObject({ at: expect.any(String), code, signal })
}

testVariations([
  ['early', STAGES[0], [BY_ITSELF.slice(0, 1), BY_SIGNAL.slice(0, 1)]],
  ...STAGES.map((stage) => [stage, stage, [BY_ITSELF, BY_SIGNAL]] as const),
] as const)(
  'an agent that crashes %s: all that is said of it is true, and a start without that works',
  { timeout: 180_000 },
  ([, stage, runs]) =>
    // Not more at once: each must come to its stage within the 3 s that start takes.
    atOnce(2, runs, async (manners) => {
      const home = await joined(world)
      let pid = await startedPid(home)
      for (const manner of manners) {
        const env = injected(stage, manner.manner)
        await expectFailure(home, 'restart', env, manner)
        expect(identify(pid)).toBeUndefined()
        await expectFailure(home, 'start', env, manner)
        pid = await startedPid(home)
      }
      const { code, signal } = manners.at(-1)!
      const status = await statusOf(home)
      expect(status).toMatchObject({ status: 'running', pid, lastExit: { code, signal } })
    }),
)

test('the first start of all that crashes is told of too', async () => {
  const home = await joined(world)
  const [stage] = STAGES
  const [manner] = BY_ITSELF
  await expectFailure(home, 'start', injected(stage, manner!.manner), manner!)
})

test(
  'an agent that dies as it is seen to be connected was connected, or has failed',
  { tags: ['variation'], timeout: 180_000 },
  async () => {
    const home = await joined(world)
    for (const afterMs of [0, 1, 2, 3, 5, 8]) {
      const env = { ...injected('once it has answered', 'exit 3'), CRASH_AFTER_MS: String(afterMs) }
      const { code, stdout, stderr } = await connect(home, ['daemon', 'start'], { env })
      if (code === 0) expect(stdout).toMatch(/\[ok\] Daemon started \(PID: \d+\)\n.*\n {2}Hub: connected\n/)
      else expect(stderr).toMatch(/^\[x\] Daemon failed to start: Process exited with code 3\n/)
      // Started and connected is what was seen: on a busy machine its end comes a moment later.
      await expect.poll(() => statusOf(home), { timeout: 30_000 }).toMatchObject({ status: 'stopped' })
    }
  },
)

test(
  'an agent that crashes 1 s after it has connected was started; status says that it is gone',
  { tags: ['variation'], timeout: 180_000 },
  () =>
    atOnce(3, ['exit 3', 'throw', 'signal SIGKILL'], async (manner) => {
      const home = await joined(world)
      const env = injected('after it has connected', manner)
      const expectGone = async (pid: number) => {
        expect(await waitFor(() => (identify(pid) ? undefined : true), { timeoutMs: 30_000 })).toBe(true)
        const status = await statusOf(home)
        expect(status, manner).toMatchObject({ status: 'stopped', pid: null })
        // Nobody saw its end, but for an error that it could catch itself.
        const end = manner === 'throw' ? { code: 1, signal: null } : { at: null, code: null, signal: null }
        expect(status.lastExit, manner).toMatchObject(end)
      }
      const first = await connectOk(home, ['daemon', 'start'], { env })
      expect(first).toContain('  Hub: connected\n')
      await expectGone(pidIn(first))
      await startedPid(home)
      const second = await connectOk(home, ['daemon', 'restart'], { env })
      expect(second).toMatch(/^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/)
      expect(second).toContain('  Hub: connected\n')
      await expectGone(pidIn(second))
      await startedPid(home)
    }),
)

const HANGS = [
  { stage: 'before its log is opened', action: 'stop' },
  { stage: 'before it takes the lock', action: 'restart' },
  { stage: 'with the lock, before its record', action: 'start --replace' },
  { stage: 'with its record, before its socket', action: 'stop' },
] as const

testVariations([
  ['early', HANGS.slice(0, 1)],
  ['later', HANGS.slice(1)],
] as const)(
  'an agent that hangs %s is said to run and not to have answered, is found, and can be ended',
  { timeout: 180_000 },
  ([, hangs]) =>
    atOnce(4, hangs, async ({ stage, action }) => {
      const home = await joined(world)
      const env = injected(stage, 'hang')
      const { code, stdout, stderr } = await connect(home, ['daemon', 'start'], { env })
      expect({ code, stderr }, stage).toEqual({ code: 0, stderr: '' })
      const pid = pidIn(stdout)
      expect(stdout, stage).toContain(`[ok] Daemon started (PID: ${pid})\n`)
      expect(stdout, stage).toContain('  Hub: not known: the agent does not say\n')
      expect(identify(pid), stage).toBeDefined()
      expect(await statusOf(home), stage).toMatchObject({ status: 'running', pid, unresponsive: true })
      expect(await connectOk(home, ['daemon', 'start'])).toContain(`already running (PID: ${pid})`)
      const said = await connectOk(home, ['daemon', ...action.split(' ')])
      expect(said, stage).toContain(
        action === 'start --replace' ? '[ok] Daemon started' : '[ok] Daemon stopped\n',
      )
      expect(identify(pid), stage).toBeUndefined()
      const now = await statusOf(home)
      expect(now.status, stage).toBe(action === 'stop' ? 'stopped' : 'running')
      expect(now.pid).not.toBe(pid)
    }),
)

test('a program that can’t run for the agent alone is told with what it said', async () => {
  const home = await joined(world)
  const condition = path.join(home.folder, 'only-for-the-cli.mjs')
  writeFileSync(condition, "if (process.env.CONNECT_DAEMON) await import('./missing.mjs')\n")
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(condition).href}` }
  const { code, stdout, stderr } = await connect(home, ['daemon', 'start'], { env })
  expect(code).toBe(1)
  expect(stdout).not.toContain('[ok]')
  expect(stderr).toMatch(/^\[x\] Daemon failed to start: Process exited with code 1\n {2}Check logs: /)
  expect(readFileSync(home.file('daemon.log'), 'utf8')).toContain('missing.mjs')
  expect(await statusOf(home)).toMatchObject({ status: 'stopped', lastExit: { code: 1 } })
  await startedPid(home)
})

test('options that Node.js refuses end the command itself, and nothing is started', async () => {
  const home = await joined(world)
  const { code, stderr } = await connect(home, ['daemon', 'start'], {
    env: { NODE_OPTIONS: '--no-such-flag' },
  })
  expect(code).toBe(9)
  expect(stderr).toContain('--no-such-flag is not allowed in NODE_OPTIONS')
  expect(await statusOf(home)).toMatchObject({ status: 'stopped', lastExit: null })
})
