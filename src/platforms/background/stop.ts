import type { Instance } from '../../config/instance.ts'
import { processElsewhere } from '../../control/find-process.ts'
import { GRACE_PERIOD_MS, GRACE_PERIOD_S } from '../../process/grace-period.ts'
import { endsWithin, kill, killGroup, sendSignal, type Termination } from '../../process/terminate.ts'
import type { Action, PlatformStatus } from '../platform.ts'
import { removePidFile } from '../remove-pid-file.ts'

/**
 * Ends the agent that was started in the background, and its children; also where another platform is to keep
 * the agent from now on.
 *
 * @param found what the platform's status has just told
 * @throws ConnectError AGENT_ELSEWHERE; in a step DAEMON_WONT_STOP
 */
export function stopProcess(
  instance: Instance,
  { background: found }: Pick<PlatformStatus, 'background'>,
): Action<Termination | undefined> {
  if (!found) return { steps: [], result: () => undefined }
  if (found.state === 'unknown') throw processElsewhere(instance, found.reason)
  const { agent } = found
  let isGone = false
  let termination: Termination | undefined
  return {
    steps: [
      { title: 'Send SIGTERM', run: async () => sendSignal(agent, 'SIGTERM') },
      {
        title: `Wait up to ${GRACE_PERIOD_S} s for a clean exit`,
        waitMs: GRACE_PERIOD_MS,
        run: async () => void (isGone = await endsWithin(agent, GRACE_PERIOD_MS)),
      },
      {
        title: 'Send SIGKILL',
        async run() {
          if (!isGone) await kill(agent)
          termination = isGone ? 'exited' : 'killed'
          // A daemon was started in a session of its own, so it leads its group.
          const hadChildren = await killGroup(agent.pid)
          return isGone && !hadChildren ? { skipped: 'it has exited' } : undefined
        },
      },
      removePidFile(instance, () => ({ pid: agent.pid, termination })),
    ],
    result: () => termination,
  }
}
