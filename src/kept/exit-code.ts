import { isFatal } from '../fatal-errors.ts'

/** EX_CONFIG of sysexits(3): whatever keeps the process alive is told not to start it again. */
const EX_CONFIG = 78

/**
 * An agent's or a hub's exit code for what ended it.
 *
 * @param supervisor what keeps it alive: launchd has no list of codes, and leaves down only what ends with 0
 */
export function keptExitCode(error: unknown, supervisor = process.env.CONNECT_SUPERVISOR): number {
  if (!isFatal(error)) return 1
  return supervisor === 'launchd' ? 0 : EX_CONFIG
}
