import { GRACE_PERIOD_MS } from '../../process/grace-period.ts'

/** How long things may take, in ms. */
export interface Timing {
  /** The longest that an answer may take. */
  readonly askMs: number
  /** The longest that an action may take: `kickstart` may block for ever. */
  readonly actMs: number
  /** ExitTimeOut of the plist, after which launchd sends SIGKILL. */
  readonly exitMs: number
  /** How long launchd may take beyond what it has to wait for itself. */
  readonly slackMs: number
  /** The longest that all of it may take; what ran before is put back in the time after that. */
  readonly totalMs: number
  readonly rollbackMs: number
  /** Pause between two looks. */
  readonly pollMs: number
}

/** No command takes longer than a minute. */
export const TIMING: Timing = {
  askMs: 5000,
  actMs: 10_000,
  exitMs: GRACE_PERIOD_MS,
  slackMs: 10_000,
  totalMs: 20_000,
  rollbackMs: 10_000,
  pollMs: 100,
}
