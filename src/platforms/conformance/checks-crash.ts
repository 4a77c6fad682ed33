import { existsSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify } from '../../process/identity.ts'
import type { Check } from './check.ts'
import { demand, demandIs, eventually } from './demand.ts'
import type { Scene } from './scene.ts'
import type { Behaviour, StandIn } from './stand-in.ts'
import type { Subject } from './subject.ts'

/** What a platform that is not installed does about a crash: it tells. */
export const crashChecks: readonly Check[] = [
  {
    title: 'after kill -9 status() says stopped, and what it cleans up it cleans up once',
    async prove(scene) {
      const subject = await scene.subject()
      const pid = await subject.bringUp()
      process.kill(pid, 'SIGKILL')
      await gone(pid)
      const { pidFile } = subject.instance
      const hadPidFile = existsSync(pidFile)
      const first = await subject.stopped('after kill -9')
      const cleaned = hadPidFile && !existsSync(pidFile)
      demand((first.cleanedUp ?? false) === cleaned, `status() must say cleanedUp: ${cleaned}`, first)
      const second = await subject.stopped('after kill -9')
      demand(!second.cleanedUp, 'status() must not say cleanedUp when there was nothing left', second)
      const stopped = await subject.platform.stop()
      demandIs(stopped, undefined, 'stop() must return undefined after a crash')
      const { pid: next } = await subject.start(subject.daemon())
      await subject.runningAs(next, 'after it was started again')
    },
  },
]

/** What one that is installed does about it: it mends it, unless only a human can. */
export const restartChecks: readonly Check[] = [
  {
    title: 'a daemon that is killed comes back, and one that is stopped does not',
    async prove(scene) {
      const subject = await scene.subject()
      const first = await subject.bringUp()
      const { pid, tookMs } = await comesBack(subject, first, scene.options.restartWithinMs)
      await subject.runningAs(pid, 'after the platform started it again')
      await subject.platform.stop()
      await staysDown(subject, tookMs, 'after stop()')
    },
  },
  {
    title: 'stop() ends a crash loop too, also while the daemon waits for its next start',
    async prove(scene) {
      const subject = await scene.subject()
      const standIn = scene.standIn()
      const first = await subject.bringUp(subject.daemon({ program: standIn.program }))
      const { pid, tookMs } = await comesBack(subject, first, scene.options.restartWithinMs)
      await crashAgain(scene, subject, standIn, { pid, behaviour: { exit: 1 } })
      await subject.platform.stop()
      const starts = standIn.starts()
      await staysDown(subject, tookMs, 'after stop()')
      const more = standIn.starts() - starts
      demandIs(more, 0, 'After stop() the daemon must not be started again', { more })
    },
  },
  {
    title: 'a daemon that exits with code 78 stays down, until start() is asked for',
    async prove(scene) {
      const subject = await scene.subject()
      const standIn = scene.standIn()
      const daemon = subject.daemon({ program: standIn.program })
      const first = await subject.bringUp(daemon)
      const { pid, tookMs } = await comesBack(subject, first, scene.options.restartWithinMs)
      const before = standIn.starts()
      await crashAgain(scene, subject, standIn, { pid, behaviour: { exit: scene.fatalExitCode } })
      await staysDown(subject, tookMs, 'after exit code 78')
      const starts = standIn.starts() - before
      demand(starts === 1, 'A daemon that exited with code 78 must not be started again', { starts })
      standIn.behave('good')
      const { pid: mended } = await subject.start(daemon)
      await subject.runningAs(mended, 'after start(), once what was wrong is mended')
    },
  },
]

async function comesBack(
  subject: Subject,
  pid: number,
  timeoutMs = 30_000,
): Promise<{ pid: number; tookMs: number }> {
  const before = performance.now()
  process.kill(pid, 'SIGKILL')
  await gone(pid)
  const promise = 'A daemon that was killed must be started again'
  const next = await subject.connected(promise, { not: pid, timeoutMs })
  return { pid: next, tookMs: performance.now() - before }
}

/** Kills it, and waits until it has been started again: then it ends by itself, as it is told. */
async function crashAgain(
  { options }: Scene,
  subject: Subject,
  standIn: StandIn,
  { pid, behaviour }: { pid: number; behaviour: Behaviour },
): Promise<void> {
  standIn.behave(behaviour)
  const before = standIn.starts()
  process.kill(pid, 'SIGKILL')
  await eventually(
    'A daemon that was killed must be started again',
    () => (standIn.starts() > before ? true : undefined),
    { timeoutMs: options.restartWithinMs ?? 30_000, seen: () => subject.evidence() },
  )
}

/** Watches for longer than it took to come back after a crash. */
async function staysDown(subject: Subject, tookMs: number, when: string): Promise<void> {
  await eventually(
    `status() must say stopped ${when}`,
    async () => ((await subject.platform.status()).state === 'stopped' ? true : undefined),
    { seen: () => subject.evidence() },
  )
  await sleep(tookMs * 1.5 + 1000)
  await subject.stopped(`still, some time ${when}`)
}

async function gone(pid: number): Promise<void> {
  await eventually(`Process ${pid} must end after SIGKILL`, () => (identify(pid) ? undefined : true))
}
