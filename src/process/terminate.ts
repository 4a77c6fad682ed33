import { ConnectError, codeOf, messageOf } from '../errors.ts'
import { isAlive, type ProcessIdentity } from './identity.ts'
import { killOrphans } from './process-group.ts'
import { waitFor } from './wait.ts'

/** How the process went: by itself, or by force after the grace period. */
export type Termination = 'exited' | 'killed'

const KILL_MS = 5000

/**
 * Ends a process: SIGTERM, then SIGKILL once the grace period is over. Each signal goes only to the very process that
 * was recorded, never to one that has come to its number since.
 *
 * @param options.group it leads a process group: what it leaves of that is ended too; default false
 * @param options.graceMs how long SIGTERM may take, default 5000
 * @param options.killMs how long the kernel may take to end it after SIGKILL, default 5000
 * @throws ConnectError DAEMON_WONT_STOP
 */
export async function terminate(
  target: ProcessIdentity,
  options: { graceMs?: number; killMs?: number; group?: boolean } = {},
): Promise<Termination> {
  const termination = await end(target, options)
  // SIGKILL works a moment later; what has been forked meanwhile gets one too.
  const none = () => (killOrphans(target.pid) === 0 ? true : undefined)
  if (options.group) await waitFor(none, { timeoutMs: options.killMs ?? KILL_MS, everyMs: 20 })
  return termination
}

async function end(
  target: ProcessIdentity,
  options: { graceMs?: number; killMs?: number },
): Promise<Termination> {
  const gone = () => (isAlive(target) ? undefined : true)
  send(target, 'SIGTERM')
  if (await waitFor(gone, { timeoutMs: options.graceMs ?? 5000 })) return 'exited'
  send(target, 'SIGKILL')
  if (await waitFor(gone, { timeoutMs: options.killMs ?? KILL_MS })) return 'killed'
  throw new ConnectError('DAEMON_WONT_STOP', `Process ${target.pid} is still there after SIGKILL`)
}

function send(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return
  try {
    process.kill(target.pid, signal)
  } catch (error) {
    // ESRCH: it ended by itself just now, which is what was wanted.
    if (codeOf(error) === 'ESRCH') return
    throw new ConnectError(
      'DAEMON_WONT_STOP',
      `Could not signal process ${target.pid}: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}
