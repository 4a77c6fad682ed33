import type { Instance } from '../config/instance.ts'
import { agentElsewhere } from '../control/find-agent.ts'
import { GRACE_PERIOD_MS } from '../process/grace-period.ts'
import { endsWithin, kill, killGroup, sendSignal, type Termination } from '../process/terminate.ts'
import type { Action, PlatformStatus } from './platform.ts'
import { removePidFile } from './remove-pid-file.ts'

/**
 * Ends the daemon that was started in the background, and its children.
 *
 * @param graceMs how long SIGTERM may take
 * @throws ConnectError AGENT_ELSEWHERE; in a step DAEMON_WONT_STOP
 */
export function endAgent(
  instance: Instance,
  { background: found }: Pick<PlatformStatus, 'background'>,
  graceMs = GRACE_PERIOD_MS,
): Action<Termination | undefined> {
  if (!found) return { steps: [], result: () => undefined }
  if (found.state === 'unknown') throw agentElsewhere(found.reason)
  const { agent } = found
  let isGone = false
  let termination: Termination | undefined
  return {
    steps: [
      { title: 'Send SIGTERM', run: async () => sendSignal(agent, 'SIGTERM') },
      {
        title: `Wait up to ${graceMs / 1000} s for a clean exit`,
        waitMs: graceMs,
        run: async () => void (isGone = await endsWithin(agent, graceMs)),
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
