import type { DaemonContext } from '../../tasks/daemon-context.ts'
import type { StartReport } from '../../tasks/start.ts'
import { tilde } from '../../text/tilde.ts'
import { formatConnection } from './connection.ts'

/** The lines of a daemon that was started, for `daemon start` and `up --detach`. */
export function formatStarted(
  { outcome, pid, hub, version, updated }: StartReport,
  { instance, version: installed }: DaemonContext,
): string[] {
  const begun = outcome === 'started' ? 'Daemon started' : 'Daemon already running'
  return [
    ...(updated === null ? [] : [`  Updated: ${tilde(updated)}`]),
    `[ok] ${begun} (PID: ${pid})`,
    `  Logs: ${tilde(instance.logFile)}`,
    `  Hub: ${formatConnection(hub)}`,
    ...(version === null || version === installed
      ? []
      : [`  It runs version ${version}, installed is ${installed}. Run: connect daemon restart`]),
  ]
}
