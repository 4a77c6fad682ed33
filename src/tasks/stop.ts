import type { Termination } from '../process/terminate.ts'
import { withCommandLock } from './command-lock.ts'
import type { DaemonContext } from './daemon-context.ts'
import { runSteps } from './run-steps.ts'

/**
 * Stops the daemon and makes sure that it is gone.
 *
 * @returns how it went, or undefined if none was running
 * @throws ConnectError DAEMON_WONT_STOP
 */
export async function stopDaemon(context: DaemonContext): Promise<Termination | undefined> {
  return withCommandLock(context.instance, async () => {
    let stopped: Termination | undefined
    const step = { title: 'Stop the agent', run: async () => void (stopped = await context.platform.stop()) }
    const { state } = await context.platform.status()
    // `unknown` too: what can't be read may well be running.
    if (state !== 'stopped') await runSteps([step], context)
    return stopped
  })
}
