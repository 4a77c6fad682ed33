import { certificateTroubles } from '../../../hub/control/certificate-troubles.ts'
import type { HubServiceStatus } from '../../../tasks/hub/status.ts'
import type { NextStep } from '../../../tasks/machine/next-step.ts'
import { printable } from '../../../text/printable.ts'
import { tilde } from '../../../text/tilde.ts'
import { addressLabel } from '../hub-told.ts'
import { localTime } from '../../../text/local-time.ts'
import { withNote } from '../next.ts'
import { fields, lastExit, STARTS } from './fields.ts'

/**
 * As the daemon's status, for the hub.
 *
 * @param start what has it kept, where one runs in the foreground
 */
export function formatHubStatus(status: HubServiceStatus, start?: NextStep): string[] {
  const isRunning = status.status === 'running'
  return [
    '📊 Private Connect Hub Status',
    '',
    `  ${isRunning ? '●' : '○'} Status: ${status.status}`,
    ...fields([
      ['', status.cleanedUpStalePid ? '(cleaned up stale PID file)' : undefined],
      ['', status.reason === null ? undefined : tilde(status.reason)],
      ['', inForeground(status)],
      ['PID', status.pid?.toString()],
      ['Service installed', status.installed ? 'yes' : 'no'],
      ['Platform', status.platform],
      ['Hub ID', status.hubId ?? undefined],
      ['Listens on', listens(status)],
      [status.url === null ? '' : addressLabel(status.url), status.url ?? undefined],
      ['Certificate', certificate(status)],
      ...certificateWarnings(status).map((text): [string, string] => ['', text]),
      ['Authority', authority(status)],
      ['Data', printable(tilde(status.folder))],
      ['Manager', isRunning ? status.manager.summary : undefined],
      ['Running since', status.startedAt === null ? undefined : localTime(status.startedAt)],
      ['Autostart', STARTS[status.autostart]],
      ['Restarts', status.restarts?.toString()],
      ['Last exit', status.lastExit === null ? undefined : lastExit(status.lastExit)],
      ['Machines', machines(status)],
      ['Live streams', status.streams?.toString()],
      ['Not saved', unsaved(status)],
      ['Version', status.version ?? undefined],
      ...status.drift.map((text): [string, string] => ['', `${text}. Run: connect hub restart`]),
      ...status.notes.map((text): [string, string] => ['', text]),
      ['', hint(status, start)],
    ]),
  ]
}

function inForeground({ foregroundPid }: HubServiceStatus): string | undefined {
  return foregroundPid === null ? undefined : `A hub runs in the foreground (PID: ${foregroundPid})`
}

function listens({ listen, silence }: HubServiceStatus): string | undefined {
  return silence === null ? (listen ?? undefined) : `unknown: ${silence}`
}

/** The day in UTC, as in the log. */
function certificate({ certificate }: HubServiceStatus): string | undefined {
  if (!certificate) return undefined
  return `${certificate.own ? 'its own, ' : ''}valid until ${certificate.notAfter.slice(0, 10)}`
}

function authority({ certificate }: HubServiceStatus): string | undefined {
  const file = certificate?.authority ?? undefined
  return file === undefined ? undefined : printable(tilde(file))
}

function certificateWarnings({ certificate }: HubServiceStatus): string[] {
  if (!certificate) return []
  return certificateTroubles(certificate).map(({ what, fix }) => printable(`${what}. ${fix}`))
}

function machines({ machines }: HubServiceStatus): string | undefined {
  return machines ? `${machines.joined} joined, ${machines.online} connected` : undefined
}

function unsaved({ unsaved }: HubServiceStatus): string | undefined {
  if (!unsaved) return undefined
  const { changes, reason } = unsaved
  const lost = changes === 0 ? 'what is new is refused' : changes === 1 ? '1 change' : `${changes} changes`
  return printable(`${lost}, since the hub can’t save: ${reason}`)
}

function hint({ status, lastExit }: HubServiceStatus, start?: NextStep): string | undefined {
  if (start) return `To have it kept running instead: end it with Ctrl-C, then ${withNote(start)}`
  if (status !== 'stopped') return undefined
  return lastExit?.fix ?? 'To start it: connect hub start'
}
