import { tilde } from '../config/tilde.ts'
import type { DaemonContext } from '../tasks/daemon-context.ts'
import type { StartReport } from '../tasks/start.ts'

/** The lines of a daemon that was started, for `daemon start` and `up --detach`. */
export function sayStarted(
  { outcome, pid, hub, version, updated }: StartReport,
  { instance, version: installed }: DaemonContext,
  say: (line: string) => void,
): void {
  if (updated !== null) say(`  Updated: ${tilde(updated)}`)
  say(
    outcome === 'started' ? `[ok] Daemon started (PID: ${pid})` : `[ok] Daemon already running (PID: ${pid})`,
  )
  say(`  Logs: ${tilde(instance.logFile)}`)
  say(`  Hub: ${describeHub(hub)}`)
  if (version !== null && version !== installed)
    say(`  It runs version ${version}, installed is ${installed}. Run: connect daemon restart`)
}

/** How it stands with the hub, in words. */
export function describeHub(hub: StartReport['hub']): string {
  if (!hub) return 'not known: the agent does not say'
  if (hub.state === 'connected') return 'connected'
  const why = hub.state === 'retrying' ? ` (${hub.reason})` : ''
  return `not connected yet${why}; the agent keeps trying`
}
