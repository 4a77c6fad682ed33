import { GRACE_PERIOD_S } from '../../process/grace-period.ts'
import type { StopReport } from '../../tasks/stop.ts'

/** The lines of a stop: a clean end is told from a forced one. */
export function formatStopped({ stopped, foregroundPid }: StopReport): string[] {
  if (stopped === 'killed')
    return ['[ok] Daemon stopped', `  It did not end within ${GRACE_PERIOD_S} s and was killed`]
  if (stopped) return ['[ok] Daemon stopped']
  return [
    'The daemon was not running: there is nothing to stop',
    ...(foregroundPid === null
      ? []
      : [`  An agent runs in the foreground (PID: ${foregroundPid}): end it with Ctrl-C where it runs`]),
  ]
}
