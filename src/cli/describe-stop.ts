import type { Termination } from '../process/terminate.ts'

/** The lines of a stop: a clean end is told from a forced one. */
export function describeStop(stopped: Termination | undefined): string[] {
  if (!stopped) return ['The daemon was not running: there is nothing to stop']
  return [
    '[ok] Daemon stopped',
    ...(stopped === 'killed' ? ['  It did not end within 5 s and was killed'] : []),
  ]
}
