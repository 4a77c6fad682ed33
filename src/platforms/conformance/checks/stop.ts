import { GRACE_PERIOD_MS, GRACE_PERIOD_S } from '../../../process/grace-period.ts'
import { identify } from '../../../process/identity.ts'
import { assert, assertEqual } from '../harness/assert.ts'
import type { TestInstance } from '../harness/test-instance.ts'
import type { Check } from './check.ts'

/** How long a stop takes that needs SIGKILL, with some slack at both ends. */
const GRACE_MIN_MS = GRACE_PERIOD_MS - 500
const GRACE_MAX_MS = GRACE_PERIOD_MS + 7000

export const stopChecks: readonly Check[] = [
  {
    title: 'stop() ends the agent by itself, returns after it is gone, and says whether it had to kill',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const pid = await tested.bringUp()
      const how = await tested.platform.stop()
      assert(identify(pid) === undefined, 'stop() must return after the process is gone', { pid })
      assertEqual(how, 'exited', 'stop() must return exited for an agent that ends on SIGTERM')
      assert(tested.log().includes('Stopped'), 'The agent must get SIGTERM first', tested.log())
      const status = await tested.stopped('after stop()')
      assert(status.installed === sandbox.installable, 'stop() must not uninstall', status)
      const again = await tested.platform.stop()
      assertEqual(again, undefined, 'stop() must return undefined when nothing runs any more')
    },
  },
  {
    title: `stop() kills an agent that ignores SIGTERM after ${GRACE_PERIOD_S} s, and says so`,
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const fakeAgent = sandbox.fakeAgent()
      fakeAgent.behave('stubborn')
      const pid = await tested.bringUp(tested.daemon({ program: fakeAgent.program }))
      const how = await timedStop(tested, pid)
      assertEqual(how, 'killed', 'stop() must return killed for an agent that ignores SIGTERM')
    },
  },
  {
    title: 'stop() ends an agent that was halted with SIGSTOP',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const pid = await tested.bringUp()
      process.kill(pid, 'SIGSTOP')
      const how = await timedStop(tested, pid)
      // Some service managers send SIGCONT after SIGTERM: then it ends in order, and says so in its log.
      const inOrder = tested.log().includes('Stopped')
      assert(
        how === (inOrder ? 'exited' : 'killed'),
        `stop() must return ${inOrder ? 'exited' : 'killed'} here`,
        how,
      )
    },
  },
]

async function timedStop(tested: TestInstance, pid: number): Promise<unknown> {
  const before = performance.now()
  const how = await tested.platform.stop()
  const took = Math.round(performance.now() - before)
  assert(identify(pid) === undefined, 'stop() must return after the process is gone', { pid })
  assert(took < GRACE_MAX_MS, `stop() must kill ${GRACE_PERIOD_S} s after SIGTERM`, { took })
  if (how === 'killed')
    assert(took > GRACE_MIN_MS, `stop() must give the agent ${GRACE_PERIOD_S} s`, { took })
  await tested.stopped('after stop()')
  return how
}
