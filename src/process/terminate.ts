import { ConnectError, codeOf, messageOf } from '../errors.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { GRACE_PERIOD_MS } from './grace-period.ts'
import { isAlive, type ProcessIdentity } from './identity.ts'
import { killOrphans } from './process-group.ts'

/** How the process went: by itself, or by force after the grace period. */
export type Termination = 'exited' | 'killed'

/** How long the kernel may take to end a process after SIGKILL, in ms. */
const KILL_TIMEOUT_MS = 5000

/**
 * Ends a process: SIGTERM, then SIGKILL once the grace period is over. Each signal goes only to the very
 * process that was recorded, never to one that has come to its number since.
 *
 * @param options.group the process leads a group: what is left of the group is ended too; default false
 * @param options.graceMs how long SIGTERM may take, default GRACE_PERIOD_MS
 * @param options.killMs how long the kernel may take to end it after SIGKILL, default KILL_TIMEOUT_MS
 * @throws ConnectError DAEMON_WONT_STOP
 */
export async function terminate(
  target: ProcessIdentity,
  options: { graceMs?: number; killMs?: number; group?: boolean } = {},
): Promise<Termination> {
  const { graceMs = GRACE_PERIOD_MS, killMs = KILL_TIMEOUT_MS } = options
  sendSignal(target, 'SIGTERM')
  const isGone = await endsWithin(target, graceMs)
  if (!isGone) await kill(target, killMs)
  if (options.group) await killGroup(target.pid, killMs)
  return isGone ? 'exited' : 'killed'
}

/** Whether the process has ended by then. @param timeoutMs how long to wait, in ms */
export async function endsWithin(target: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const gone = () => (isAlive(target) ? undefined : true)
  return (await waitFor(gone, { timeoutMs })) ?? false
}

/** Sends SIGKILL, and waits until the process is gone. @throws ConnectError DAEMON_WONT_STOP */
export async function kill(target: ProcessIdentity, timeoutMs = KILL_TIMEOUT_MS): Promise<void> {
  sendSignal(target, 'SIGKILL')
  if (await endsWithin(target, timeoutMs)) return
  throw new ConnectError('DAEMON_WONT_STOP', `Process ${target.pid} is still there after SIGKILL`)
}

/**
 * Sends SIGKILL to what is left of a group whose leader is gone, and waits until nothing is.
 *
 * @returns whether anything was left
 */
export async function killGroup(leader: number, timeoutMs = KILL_TIMEOUT_MS): Promise<boolean> {
  let wasAny = false
  const none = () => {
    const killed = killOrphans(leader)
    wasAny ||= killed > 0
    // SIGKILL works a moment later; what has been forked meanwhile gets one too.
    return killed === 0 ? true : undefined
  }
  await waitFor(none, { timeoutMs, everyMs: 20 })
  return wasAny
}

/** Does nothing if the process is gone. @throws ConnectError DAEMON_WONT_STOP if it may not be signalled */
export function sendSignal(target: ProcessIdentity, signal: NodeJS.Signals): void {
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
