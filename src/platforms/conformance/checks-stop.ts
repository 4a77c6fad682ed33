import { performance } from 'node:perf_hooks'
import { identify } from '../../process/identity.ts'
import type { Check } from './check.ts'
import { demand, demandIs } from './demand.ts'
import type { Subject } from './subject.ts'

/** The grace period is 5 s; both limits have some slack. */
const GRACE_MIN_MS = 4500
const GRACE_MAX_MS = 12_000

export const stopChecks: readonly Check[] = [
  {
    title: 'stop() ends the agent by itself, returns after it is gone, and says whether it had to kill',
    async prove(scene) {
      const subject = await scene.subject()
      const pid = await subject.bringUp()
      const how = await subject.platform.stop()
      demand(identify(pid) === undefined, 'stop() must return after the process is gone', { pid })
      demandIs(how, 'exited', 'stop() must return exited for an agent that ends on SIGTERM')
      demand(subject.log().includes('Stopped'), 'The agent must get SIGTERM first', subject.log())
      const status = await subject.stopped('after stop()')
      demand(status.installed === scene.installable, 'stop() must not uninstall', status)
      const again = await subject.platform.stop()
      demandIs(again, undefined, 'stop() must return undefined when nothing runs any more')
    },
  },
  {
    title: 'stop() kills an agent that ignores SIGTERM after 5 s, and says so',
    async prove(scene) {
      const subject = await scene.subject()
      const standIn = scene.standIn()
      standIn.behave('stubborn')
      const pid = await subject.bringUp(subject.daemon({ program: standIn.program }))
      const how = await timedStop(subject, pid)
      demandIs(how, 'killed', 'stop() must return killed for an agent that ignores SIGTERM')
    },
  },
  {
    title: 'stop() ends an agent that was halted with SIGSTOP',
    async prove(scene) {
      const subject = await scene.subject()
      const pid = await subject.bringUp()
      process.kill(pid, 'SIGSTOP')
      const how = await timedStop(subject, pid)
      // Some service managers send SIGCONT after SIGTERM: then it ends in order, and says so in its log.
      const inOrder = subject.log().includes('Stopped')
      demand(
        how === (inOrder ? 'exited' : 'killed'),
        `stop() must return ${inOrder ? 'exited' : 'killed'} here`,
        how,
      )
    },
  },
]

async function timedStop(subject: Subject, pid: number): Promise<unknown> {
  const before = performance.now()
  const how = await subject.platform.stop()
  const took = Math.round(performance.now() - before)
  demand(identify(pid) === undefined, 'stop() must return after the process is gone', { pid })
  demand(took < GRACE_MAX_MS, 'stop() must kill 5 s after SIGTERM', { took })
  if (how === 'killed') demand(took > GRACE_MIN_MS, 'stop() must give the agent 5 s', { took })
  await subject.stopped('after stop()')
  return how
}
