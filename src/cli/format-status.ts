import { printable } from '../config/label.ts'
import { formatTarget } from '../config/target.ts'
import type { DaemonStatus } from '../tasks/status.ts'
import { describeHub } from './say-started.ts'

/** The spec's fields in the spec's order, then what a person asks next. */
export function formatStatus(status: DaemonStatus): string[] {
  const isRunning = status.status === 'running'
  return [
    '📊 Private Connect Daemon Status',
    '',
    `  ${isRunning ? '●' : '○'} Status: ${status.status}`,
    ...fields([
      ['', status.cleanedUpStalePid ? '(cleaned up stale PID file)' : undefined],
      ['PID', status.pid?.toString()],
      ['Service installed', status.installed ? 'yes' : 'no'],
      ['Platform', status.platform],
      ['Agent ID', status.agentId ?? undefined],
      ['Label', status.label === null ? undefined : printable(status.label)],
      ['Hub', status.hub ?? undefined],
      ['Kept alive as', isRunning ? status.manager.summary : undefined],
      ['Running since', status.startedAt === null ? undefined : localTime(status.startedAt)],
      ['Connection', isRunning ? connection(status) : undefined],
      ['Services', services(status)],
      ['Live streams', status.streams?.toString()],
      ['', hint(status)],
    ]),
  ]
}

function fields(rows: [name: string, value: string | undefined][]): string[] {
  return rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`    ${name === '' ? '' : `${name}: `}${value}`],
  )
}

function connection({ connection, unresponsive }: DaemonStatus): string {
  if (unresponsive) return 'unknown: the agent does not answer on its socket'
  return describeHub(connection ?? undefined)
}

/** As people read a clock; --json has the exact form. */
function localTime(time: string): string {
  return new Date(time).toLocaleString('sv-SE')
}

function services({ services }: DaemonStatus): string | undefined {
  if (services.length === 0) return undefined
  return services.map((service) => `${service.name} → ${formatTarget(service)}`).join(', ')
}

function hint({ status, configured, foregroundPid }: DaemonStatus): string | undefined {
  if (foregroundPid !== null) return `An agent runs in the foreground (PID: ${foregroundPid})`
  if (!configured) return 'Agent not configured. Run: connect up'
  return status === 'stopped' ? 'To start it: connect daemon start' : undefined
}
