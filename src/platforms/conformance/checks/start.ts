import { appendFileSync } from 'node:fs'
import { codeOf, messageOf } from '../../../errors.ts'
import { identify } from '../../../process/identity.ts'
import type { Action } from '../../platform.ts'
import { assert, assertEqual, assertRejects, eventually } from '../harness/assert.ts'
import { asCommandLine, commandLineOf } from '../harness/command-line.ts'
import { LAST_WORDS, type Behaviour } from '../harness/fake-agent.ts'
import type { Sandbox } from '../harness/sandbox.ts'
import type { TestInstance } from '../harness/test-instance.ts'
import type { Check } from './check.ts'

/** No clock is so coarse, or so far off. */
const CLOCK_SLACK_MS = 5000

/** Long enough for a slow machine to see a process end. */
export const CRASH_STABLE_MS = 20_000

/** Nothing has ever listened at this port. */
const NO_HUB = 'http://127.0.0.1:1'

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

export const startChecks: readonly Check[] = [
  {
    title: 'start() returns the agent’s own pid once it is connected, and status() then says the same',
    prove: startsAsAsked,
  },
  {
    title: 'all of it works in a home folder with spaces, quotes, $, % and other letters in its name',
    home: `o'dd "höme" 50% $HOME \\ & ☃`,
    prove: startsAsAsked,
  },
  {
    title: 'start() with a hub that is not there returns after stableMs: not ready, but alive',
    only: 'agent',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      sandbox.moveHub(tested, NO_HUB)
      const daemon = tested.daemon({ hub: NO_HUB })
      if (sandbox.installable) {
        await tested.install(daemon, 2000)
        await tested.platform.stop()
      }
      const { pid, ready } = await tested.start(daemon, 2000)
      assertEqual(ready, false, 'start() must not say ready while isReady() says no')
      assert(identify(pid) !== undefined, `start() must return a process that lives (${pid})`)
      await eventually(
        'The agent must go on while it cannot reach its hub',
        () => (tested.recordedPid() === pid ? true : undefined),
        { seen: () => tested.evidence() },
      )
      await tested.runningAs(pid, 'while the hub is not there')
    },
  },
  {
    title: 'start() and stop() only name their steps: nothing is done before the first is run',
    async prove(sandbox) {
      const { description } = sandbox.options
      if (description.apiVersion === 1) return
      const tested = await sandbox.instance()
      const daemon = tested.daemon()
      await tested.prepare(daemon)
      const platform = await description.load(tested.context)
      const start = platform.start(daemon, { isReady: async () => false, stableMs: 1000 })
      hasTitles('start()', start)
      await tested.stopped('after start(), before any step was run')
      const { pid } = await tested.start(daemon)
      const found = await tested.runningAs(pid, 'after all steps of start()')
      hasTitles('stop()', platform.stop(found))
      await tested.runningAs(pid, 'after stop(), before any step was run')
    },
  },
  failsAtOnce('exits with code 1', () => ({ behaviour: { exit: 1 }, names: /\b1\b/ })),
  failsAtOnce('exits with code 78', ({ fatalExitCode }) => ({
    behaviour: { exit: fatalExitCode },
    names: new RegExp(`\\b${fatalExitCode}\\b`),
  })),
  failsAtOnce('is ended by SIGKILL', () => ({ behaviour: { signal: 'SIGKILL' }, names: /SIGKILL|\b9\b/ })),
  {
    title: 'stop() and start() again give another process, which is connected',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const first = await tested.bringUp()
      await tested.platform.stop()
      const { pid } = await tested.start(tested.daemon())
      assert(pid !== first, 'start() after stop() must give a new process', { first, pid })
      assert((await tested.connected()) === pid, 'start() must return the agent’s own pid')
      await tested.runningAs(pid, 'after stop() and start()')
    },
  },
]

function hasTitles(method: string, { steps }: Action<unknown>): void {
  assert(steps.length > 0, `${method} must have steps`)
  const titles = steps.map(({ title }) => title)
  assert(
    titles.every((title) => title.trim() !== ''),
    `Each step of ${method} must have a title`,
    titles,
  )
}

async function startsAsAsked(sandbox: Sandbox): Promise<void> {
  const tested = await sandbox.instance()
  const daemon = tested.daemon()
  await tested.prepare(daemon)
  const before = Date.now()
  const { pid, ready } = await tested.start(daemon)
  assertEqual(ready, true, 'start() must say ready once isReady() says so')
  const own = await tested.connected()
  assert(pid === own, 'start() must return the agent’s own pid', { returned: pid, own })
  assert(tested.recordedPid() === pid, 'agent.json must hold the pid that start() returned')

  const status = await tested.runningAs(pid, 'after start()')
  assert(
    status.installed === sandbox.installable,
    `status() must say installed: ${sandbox.installable}`,
    status,
  )
  const { startedAt = '', autostart } = status
  assert(RFC_3339.test(startedAt), 'status() must give startedAt as RFC 3339 has it', status)
  const started = Date.parse(startedAt)
  assert(
    started >= before - CLOCK_SLACK_MS && started <= Date.now() + CLOCK_SLACK_MS,
    'status() must give the time of this start as startedAt',
    { startedAt, asked: new Date(before).toISOString() },
  )
  assert(
    sandbox.installable === (autostart !== 'never'),
    `status() must say autostart: ${sandbox.installable ? 'boot, login or manager' : 'never'}`,
    autostart,
  )
  await runsAsTold(tested, pid)
  await tested.platform.stop()
  assert(identify(pid) === undefined, 'stop() must return after the process is gone', { pid })
}

/** The very arguments, none split and none expanded. */
export async function runsAsTold(tested: TestInstance, pid: number): Promise<void> {
  const found = await commandLineOf(pid)
  const wanted = asCommandLine(tested.daemon().command)
  assert(found === wanted, `The process must run exactly daemon.command (${JSON.stringify(wanted)})`, found)
}

function failsAtOnce(how: string, end: (sandbox: Sandbox) => { behaviour: Behaviour; names: RegExp }): Check {
  return {
    title: `start() of a daemon that ${how} fails with DAEMON_FAILED, which says so`,
    async prove(sandbox) {
      const { behaviour, names } = end(sandbox)
      const tested = await sandbox.instance()
      const fakeAgent = sandbox.fakeAgent()
      const daemon = tested.daemon({ program: fakeAgent.program })
      await tested.prepare(daemon)
      appendFileSync(daemon.logFile, 'What was there before\n', { mode: 0o600 })
      const logBefore = tested.log()
      fakeAgent.behave(behaviour)
      const error = await assertRejects(
        `start() must fail when the daemon ${how}`,
        tested.start(daemon, CRASH_STABLE_MS),
      )
      assert(codeOf(error) === 'DAEMON_FAILED', 'start() must fail with the code DAEMON_FAILED', error)
      assert(names.test(messageOf(error)), `start() must say that the daemon ${how}`, error)
      const log = tested.log()
      assert(log.startsWith(logBefore), 'logFile must be appended to, and not begun anew')
      assert(
        log.slice(logBefore.length).includes(LAST_WORDS),
        'What the daemon prints must be in logFile',
        log,
      )
    },
  }
}
