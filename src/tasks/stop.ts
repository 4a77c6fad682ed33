import type { Termination } from '../process/terminate.ts'
import type { KeptContext } from './steps/kept.ts'
import { withCommandLock } from './locks/command-lock.ts'
import { runSteps } from './steps/run-steps.ts'
import { endBeside } from './steps/take-over.ts'

/** Also the shape of `daemon stop --json` and `hub stop --json`. */
export interface StopReport {
  /** How it went; null if none was running. */
  readonly stopped: Termination | null
  /** One in someone's terminal, which is left alone. */
  readonly foregroundPid: number | null
}

/**
 * Stops the daemon or the hub, and makes sure that it is gone.
 *
 * @throws ConnectError DAEMON_WONT_STOP, AGENT_ELSEWHERE
 */
export async function stopKept(context: KeptContext): Promise<StopReport> {
  return withCommandLock(
    context.instance,
    async () => {
      const found = await context.platform.status()
      const { state, foregroundPid = null } = found
      // `unknown` too is asked to stop: what can't be read may well be running.
      if (state === 'stopped') return { stopped: null, foregroundPid }
      const own = context.platform.stop(found)
      const beside = endBeside(context, found)
      await runSteps([...own.steps, ...beside.steps], context)
      return { stopped: beside.result() ?? own.result() ?? null, foregroundPid }
    },
    { writes: false },
  )
}
