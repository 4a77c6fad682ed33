import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify } from '../../../process/identity.ts'
import { assert, assertEqual, eventually } from '../harness/assert.ts'
import type { Behaviour, FakeAgent } from '../harness/fake-agent.ts'
import type { Sandbox } from '../harness/sandbox.ts'
import type { TestInstance } from '../harness/test-instance.ts'
import type { Check } from './check.ts'

/** What a platform in which the daemon is not installed does about a crash: it tells. */
export const crashChecks: readonly Check[] = [
  {
    title: 'after kill -9 status() says stopped, and what it cleans up it cleans up once',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const pid = await tested.bringUp()
      process.kill(pid, 'SIGKILL')
      await gone(pid)
      const { pidFile } = tested.instance
      const hadPidFile = existsSync(pidFile)
      const first = await tested.stopped('after kill -9')
      const cleaned = hadPidFile && !existsSync(pidFile)
      assert((first.cleanedUp ?? false) === cleaned, `status() must say cleanedUp: ${cleaned}`, first)
      const second = await tested.stopped('after kill -9')
      assert(!second.cleanedUp, 'status() must not say cleanedUp when there was nothing left', second)
      const stopped = await tested.platform.stop()
      assertEqual(stopped, undefined, 'stop() must return undefined after a crash')
      const { pid: next } = await tested.start(tested.daemon())
      await tested.runningAs(next, 'after it was started again')
    },
  },
]

/**
 * What a platform in which the daemon is installed does about a crash: it starts the daemon again, unless
 * only a human can help.
 */
export const restartChecks: readonly Check[] = [
  {
    title: 'a daemon that is killed comes back, and one that is stopped does not',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const first = await tested.bringUp()
      const { pid, tookMs } = await comesBack(tested, first, sandbox.options.restartWithinMs)
      await tested.runningAs(pid, 'after the platform started it again')
      await tested.platform.stop()
      await staysDown(tested, tookMs, 'after stop()')
    },
  },
  {
    title: 'stop() ends a crash loop too, also while the daemon waits for its next start',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const fakeAgent = sandbox.fakeAgent()
      const first = await tested.bringUp(tested.daemon({ program: fakeAgent.program }))
      const { pid, tookMs } = await comesBack(tested, first, sandbox.options.restartWithinMs)
      await crashAgain(sandbox, tested, fakeAgent, { pid, behaviour: { exit: 1 } })
      await tested.platform.stop()
      const starts = fakeAgent.starts()
      await staysDown(tested, tookMs, 'after stop()')
      const more = fakeAgent.starts() - starts
      assertEqual(more, 0, 'After stop() the daemon must not be started again', { more })
    },
  },
  {
    title: 'a daemon that exits with code 78 stays down, until start() is asked for',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const fakeAgent = sandbox.fakeAgent()
      const daemon = tested.daemon({ program: fakeAgent.program })
      const first = await tested.bringUp(daemon)
      const { pid, tookMs } = await comesBack(tested, first, sandbox.options.restartWithinMs)
      const before = fakeAgent.starts()
      await crashAgain(sandbox, tested, fakeAgent, { pid, behaviour: { exit: sandbox.fatalExitCode } })
      await staysDown(tested, tookMs, 'after exit code 78')
      const starts = fakeAgent.starts() - before
      assert(starts === 1, 'A daemon that exited with code 78 must not be started again', { starts })
      fakeAgent.behave('good')
      const { pid: fixed } = await tested.start(daemon)
      await tested.runningAs(fixed, 'after start(), once what was wrong is fixed')
    },
  },
]

/** Kills the daemon, and waits until another process is up. */
export async function comesBack(
  tested: TestInstance,
  pid: number,
  timeoutMs = 30_000,
): Promise<{ pid: number; tookMs: number }> {
  const before = performance.now()
  process.kill(pid, 'SIGKILL')
  await gone(pid)
  const promise = 'A daemon that was killed must be started again'
  const next = await tested.connected(promise, { not: pid, timeoutMs })
  return { pid: next, tookMs: performance.now() - before }
}

/** Kills the agent, and waits until it has been started again: then it ends by itself, as it is told. */
async function crashAgain(
  { options }: Sandbox,
  tested: TestInstance,
  fakeAgent: FakeAgent,
  { pid, behaviour }: { pid: number; behaviour: Behaviour },
): Promise<void> {
  fakeAgent.behave(behaviour)
  const before = fakeAgent.starts()
  process.kill(pid, 'SIGKILL')
  await eventually(
    'A daemon that was killed must be started again',
    () => (fakeAgent.starts() > before ? true : undefined),
    { timeoutMs: options.restartWithinMs ?? 30_000, seen: () => tested.evidence() },
  )
}

/** Watches for longer than the agent took to come back after a crash. */
async function staysDown(tested: TestInstance, tookMs: number, when: string): Promise<void> {
  await eventually(
    `status() must say stopped ${when}`,
    async () => ((await tested.platform.status()).state === 'stopped' ? true : undefined),
    { seen: () => tested.evidence() },
  )
  await sleep(tookMs * 1.5 + 1000)
  await tested.stopped(`still, some time ${when}`)
}

async function gone(pid: number): Promise<void> {
  await eventually(`Process ${pid} must end after SIGKILL`, () => (identify(pid) ? undefined : true))
}
