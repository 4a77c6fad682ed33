import { readProcessRecord } from '../../../control/process-record.ts'
import type { PlatformStatus } from '../../../platforms/platform.ts'
import { isUnused } from '../../../tasks/machine/is-unused.ts'
import { withSeen } from '../../../tasks/kept-status.ts'
import { localTime } from '../../../text/local-time.ts'
import type { Check, Finding } from '../../check.ts'
import { restsOn } from '../../way/skipped.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

export const running: Check<DoctorContext> = {
  name: 'running',
  group: 'daemon',
  title: 'Runs',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const status = await context.daemon()
    const { state, pid, foregroundPid, startedAt, reason } = status
    if (state === 'running' || state === 'starting') {
      const since = startedAt === undefined ? '' : `, since ${localTime(startedAt)}`
      return { state: 'ok', seen: `As the daemon (PID: ${pid ?? 'not yet known'})${since}` }
    }
    if (foregroundPid !== undefined)
      return { state: 'ok', seen: `In the foreground (PID: ${foregroundPid}): it ends with its terminal` }
    if (state === 'unknown') return { state: 'unknown', seen: reason ?? 'It is not known' }
    if (state === 'stopped') return notRunning(context, status)
    return {
      state: state === 'restarting' ? 'failed' : 'warning',
      seen: reason ?? 'It is about to stop',
      fix: 'See why: connect daemon logs',
    }
  },
}

async function notRunning(context: DoctorContext, status: PlatformStatus): Promise<Finding> {
  const { instance } = context
  const config = await restsOn(() => context.config(), 'No; and the configuration can’t be used')
  if (config === undefined) return { state: 'skipped', seen: 'No: this machine is not logged in to a hub' }
  const end = withSeen(readProcessRecord(instance)?.end, status)
  const why = status.reason ?? (end ? `The last one: ${end.reason}` : undefined)
  const seen = why === undefined ? 'No' : `No. ${why}`
  if (!status.installed && isUnused(instance))
    return { state: 'skipped', seen: `${seen}; nothing is exposed or kept here that would need it` }
  return { state: 'failed', seen, fix: end?.fix ?? 'Run: connect daemon start' }
}
