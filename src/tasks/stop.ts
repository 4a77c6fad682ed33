import type { Termination } from '../process/terminate.ts'
import { withCommandLock } from './command-lock.ts'
import type { DaemonContext } from './daemon-context.ts'
import { runSteps } from './run-steps.ts'

/** Also the shape of `daemon stop --json`. */
export interface StopReport {
  /** How it went; null if none was running. */
  readonly stopped: Termination | null
  /** An agent in someone's terminal, which is left alone. */
  readonly foregroundPid: number | null
}

/**
 * Stops the daemon and makes sure that it is gone.
 *
 * @throws ConnectError DAEMON_WONT_STOP, AGENT_ELSEWHERE
 */
export async function stopDaemon(context: DaemonContext): Promise<StopReport> {
  return withCommandLock(
    context.instance,
    async () => {
      let stopped: Termination | undefined
      const step = {
        title: 'Stop the agent',
        run: async () => void (stopped = await context.platform.stop()),
      }
      const { state, foregroundPid } = await context.platform.status()
      // `unknown` too: what can't be read may well be running.
      if (state !== 'stopped') await runSteps([step], context)
      return { stopped: stopped ?? null, foregroundPid: foregroundPid ?? null }
    },
    { writes: false },
  )
}
