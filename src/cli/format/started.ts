import type { DaemonContext } from '../../tasks/daemon-context.ts'
import type { StartReport } from '../../tasks/start.ts'
import { tilde } from '../../text/tilde.ts'

/** The lines of a daemon that was started, for `daemon start` and `up --detach`. */
export function printStarted(
  { outcome, pid, hub, version, updated }: StartReport,
  { instance, version: installed }: DaemonContext,
  print: (line: string) => void,
): void {
  if (updated !== null) print(`  Updated: ${tilde(updated)}`)
  print(
    outcome === 'started' ? `[ok] Daemon started (PID: ${pid})` : `[ok] Daemon already running (PID: ${pid})`,
  )
  print(`  Logs: ${tilde(instance.logFile)}`)
  print(`  Hub: ${formatConnection(hub)}`)
  if (version !== null && version !== installed)
    print(`  It runs version ${version}, installed is ${installed}. Run: connect daemon restart`)
}

/** How the agent stands with the hub, in words. */
export function formatConnection(hub: StartReport['hub']): string {
  if (!hub) return 'not known: the agent does not say'
  if (hub.state === 'connected') return 'connected'
  const why = hub.state === 'retrying' ? ` (${hub.reason})` : ''
  return `not connected yet${why}; the agent keeps trying`
}
