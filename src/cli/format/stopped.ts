import { wordsOf, type Kind } from '../../config/kind.ts'
import { GRACE_PERIOD_S } from '../../process/grace-period.ts'
import type { StopReport } from '../../tasks/stop.ts'

/** The lines of a stop: a clean end is told from a forced one. */
export function formatStopped({ stopped, foregroundPid }: StopReport, kind: Kind): string[] {
  const { subject, kept, anyone } = wordsOf({ kind })
  if (stopped === 'killed')
    return [`[ok] ${subject} stopped`, `  It did not end within ${GRACE_PERIOD_S} s and was killed`]
  if (stopped) return [`[ok] ${subject} stopped`]
  return [
    `The ${kept} was not running: there is nothing to stop`,
    ...(foregroundPid === null
      ? []
      : [`  ${anyone} runs in the foreground (PID: ${foregroundPid}): end it with Ctrl-C where it runs`]),
  ]
}
