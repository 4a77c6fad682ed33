import { formatTarget } from '../../../config/target.ts'
import { adviceFor } from '../../../control/restart-advice.ts'
import type { DaemonStatus, ForegroundAgent } from '../../../tasks/status.ts'
import { printable } from '../../../text/printable.ts'
import { tilde } from '../../../text/tilde.ts'
import { formatConnection } from '../connection.ts'
import { localTime } from '../../../text/local-time.ts'
import { reachesInLine, reachTroubles } from '../reaches.ts'
import { fields, lastExit, STARTS } from './fields.ts'

/** The fields that scripts know, in their order, then what a person asks next. */
export function formatStatus(status: DaemonStatus): string[] {
  const isRunning = status.status === 'running'
  return [
    '📊 Private Connect Daemon Status',
    '',
    `  ${isRunning ? '●' : '○'} Status: ${status.status}`,
    ...fields([
      ['', status.cleanedUpStalePid ? '(cleaned up stale PID file)' : undefined],
      ['', status.reason ?? undefined],
      ['', inForeground(status.foreground)],
      ...drift(status.foreground?.drift, status.foreground),
      ['PID', status.pid?.toString()],
      ['Service installed', status.installed ? 'yes' : 'no'],
      ['Platform', status.platform],
      ['Agent ID', status.agentId ?? undefined],
      ['Label', status.label === null ? undefined : printable(status.label)],
      ['Hub', status.hub ?? undefined],
      ['Proxy', status.proxy ?? undefined],
      ['Extra CA', status.ca === null ? undefined : printable(tilde(status.ca))],
      ['Manager', isRunning ? status.manager.summary : undefined],
      ['Running since', status.startedAt === null ? undefined : localTime(status.startedAt)],
      ['Autostart', STARTS[status.autostart]],
      ['Restarts', status.restarts?.toString()],
      ['Last exit', status.lastExit === null ? undefined : lastExit(status.lastExit)],
      ['Connection', isRunning ? connection(status) : undefined],
      ['Services', services(status)],
      ['Kept reaches', reachesInLine(reachesOf(status))],
      ...reachTroubles(reachesOf(status)).map((text): [string, string] => ['', text]),
      ['Live streams', (status.streams ?? status.foreground?.streams)?.toString()],
      ['Version', status.version ?? status.foreground?.version ?? undefined],
      ...drift(status.drift),
      ...status.notes.map((text): [string, string] => ['', text]),
      ['', hint(status)],
    ]),
  ]
}

function connection({ connection, silence }: DaemonStatus): string {
  if (silence !== null) return `unknown: ${silence}`
  return formatConnection(connection)
}

function services({ services }: DaemonStatus): string | undefined {
  if (services.length === 0) return undefined
  return services.map((service) => `${service.name} → ${formatTarget(service)}`).join(', ')
}

/** Those of the agent that works, whichever it is. */
function reachesOf({ foreground, reaches }: DaemonStatus): DaemonStatus['reaches'] {
  return foreground?.reaches ?? reaches
}

function inForeground(agent: ForegroundAgent | null): string | undefined {
  if (!agent) return undefined
  const state = agent.silence ?? formatConnection(agent.connection)
  return `An agent runs in the foreground (PID: ${agent.pid}): ${state}`
}

/** @param foreground the agent that has it, unless that is the daemon */
function drift(texts: readonly string[] = [], foreground: ForegroundAgent | null = null): [string, string][] {
  const runs = foreground ? ({ mode: 'foreground', pid: foreground.pid } as const) : undefined
  const advice = adviceFor({ kind: 'agent' }, runs)
  return texts.map((text) => ['', `${text}. ${advice}`])
}

function hint({ status, configured, foreground, lastExit }: DaemonStatus): string | undefined {
  if (foreground) return 'To have a daemon instead: end it with Ctrl-C, then connect daemon start'
  if (!configured) return 'Agent not configured. Run: connect up'
  if (status !== 'stopped') return undefined
  return lastExit?.fix ?? 'To start it: connect daemon start'
}
