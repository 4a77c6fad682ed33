import { appendFileSync } from 'node:fs'
import { codeOf, messageOf } from '../../errors.ts'
import { identify } from '../../process/identity.ts'
import type { Action } from '../platform.ts'
import type { Check } from './check.ts'
import { asCommandLine, commandLineOf } from './command-line.ts'
import { demand, demandIs, demandRejection, eventually } from './demand.ts'
import type { Scene } from './scene.ts'
import { LAST_WORDS, type Behaviour } from './stand-in.ts'
import type { Subject } from './subject.ts'

/** No clock is so coarse, or so far off. */
const CLOCK_SLACK_MS = 5000

/** Long enough for a slow machine to see a process end. */
const CRASH_STABLE_MS = 20_000

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
    async prove(scene) {
      const subject = await scene.subject()
      scene.moveHub(subject, NO_HUB)
      const daemon = subject.daemon({ hub: NO_HUB })
      if (scene.installable) {
        await subject.install(daemon, 2000)
        await subject.platform.stop()
      }
      const { pid, ready } = await subject.start(daemon, 2000)
      demandIs(ready, false, 'start() must not say ready while isReady() says no')
      demand(identify(pid) !== undefined, `start() must return a process that lives (${pid})`)
      await eventually(
        'The agent must go on while it cannot reach its hub',
        () => (subject.recordedPid() === pid ? true : undefined),
        { seen: () => subject.evidence() },
      )
      await subject.runningAs(pid, 'while the hub is not there')
    },
  },
  {
    title: 'start() and stop() only name their steps: nothing is done before the first is run',
    async prove(scene) {
      const { description } = scene.options
      if (description.apiVersion === 1) return
      const subject = await scene.subject()
      const daemon = subject.daemon()
      await subject.prepare(daemon)
      const platform = await description.load(subject.context)
      const start = platform.start(daemon, { isReady: async () => false, stableMs: 1000 })
      hasTitles('start()', start)
      await subject.stopped('after start(), before any step was run')
      const { pid } = await subject.start(daemon)
      const found = await subject.runningAs(pid, 'after all steps of start()')
      hasTitles('stop()', platform.stop(found))
      await subject.runningAs(pid, 'after stop(), before any step was run')
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
    async prove(scene) {
      const subject = await scene.subject()
      const first = await subject.bringUp()
      await subject.platform.stop()
      const { pid } = await subject.start(subject.daemon())
      demand(pid !== first, 'start() after stop() must give a new process', { first, pid })
      demand((await subject.connected()) === pid, 'start() must return the agent’s own pid')
      await subject.runningAs(pid, 'after stop() and start()')
    },
  },
]

function hasTitles(method: string, { steps }: Action<unknown>): void {
  demand(steps.length > 0, `${method} must have steps`)
  const titles = steps.map(({ title }) => title)
  demand(
    titles.every((title) => title.trim() !== ''),
    `Each step of ${method} must have a title`,
    titles,
  )
}

async function startsAsAsked(scene: Scene): Promise<void> {
  const subject = await scene.subject()
  const daemon = subject.daemon()
  await subject.prepare(daemon)
  const before = Date.now()
  const { pid, ready } = await subject.start(daemon)
  demandIs(ready, true, 'start() must say ready once isReady() says so')
  const own = await subject.connected()
  demand(pid === own, 'start() must return the agent’s own pid', { returned: pid, own })
  demand(subject.recordedPid() === pid, 'agent.json must hold the pid that start() returned')

  const status = await subject.runningAs(pid, 'after start()')
  demand(status.installed === scene.installable, `status() must say installed: ${scene.installable}`, status)
  const { startedAt = '', startsAt } = status
  demand(RFC_3339.test(startedAt), 'status() must give startedAt as RFC 3339 has it', status)
  const started = Date.parse(startedAt)
  demand(
    started >= before - CLOCK_SLACK_MS && started <= Date.now() + CLOCK_SLACK_MS,
    'status() must give the time of this start as startedAt',
    { startedAt, asked: new Date(before).toISOString() },
  )
  demand(
    scene.installable ? startsAt === 'boot' || startsAt === 'login' : startsAt === 'never',
    `status() must say startsAt: ${scene.installable ? 'boot or login' : 'never'}`,
    startsAt,
  )
  await runsAsTold(subject, pid)
  await subject.platform.stop()
  demand(identify(pid) === undefined, 'stop() must return after the process is gone', { pid })
}

/** The very arguments, none split and none expanded. */
async function runsAsTold(subject: Subject, pid: number): Promise<void> {
  const found = await commandLineOf(pid)
  const wanted = asCommandLine(subject.daemon().command)
  demand(found === wanted, `The process must run exactly daemon.command (${JSON.stringify(wanted)})`, found)
}

function failsAtOnce(how: string, end: (scene: Scene) => { behaviour: Behaviour; names: RegExp }): Check {
  return {
    title: `start() of a daemon that ${how} fails with DAEMON_FAILED, which says so`,
    async prove(scene) {
      const { behaviour, names } = end(scene)
      const subject = await scene.subject()
      const standIn = scene.standIn()
      const daemon = subject.daemon({ program: standIn.program })
      await subject.prepare(daemon)
      appendFileSync(daemon.logFile, 'What was there before\n', { mode: 0o600 })
      const logBefore = subject.log()
      standIn.behave(behaviour)
      const error = await demandRejection(
        `start() must fail when the daemon ${how}`,
        subject.start(daemon, CRASH_STABLE_MS),
      )
      demand(codeOf(error) === 'DAEMON_FAILED', 'start() must fail with the code DAEMON_FAILED', error)
      demand(names.test(messageOf(error)), `start() must say that the daemon ${how}`, error)
      const log = subject.log()
      demand(log.startsWith(logBefore), 'logFile must be appended to, and not begun anew')
      demand(
        log.slice(logBefore.length).includes(LAST_WORDS),
        'What the daemon prints must be in logFile',
        log,
      )
    },
  }
}
