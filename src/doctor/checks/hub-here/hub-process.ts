import type { Config } from '../../../config/config.ts'
import type { HubInstance } from '../../../config/hub/hub-instance.ts'
import { isSameBoot } from '../../../process/identity.ts'
import { absentData, waitsForData } from '../../../config/hub/absent-data.ts'
import { readProcessRecord, type ProcessRecord } from '../../../control/process-record.ts'
import { restartAdvice } from '../../../control/restart-advice.ts'
import { counted } from '../../../text/counted.ts'
import type { Check, Finding } from '../../check.ts'
import { requireHub, type HubHereContext } from '../../hub-inspection.ts'

interface HubProcessContext extends HubHereContext {
  config(): Promise<Config | undefined>
}

/** Whether the hub runs, and answers on its socket. */
export const hubProcess: Check<HubProcessContext> = {
  name: 'hub-process',
  group: 'hub-here',
  title: 'Runs',
  async run(context) {
    const { hub, instance, said, isDataAbsent } = await requireHub(context)
    if (isDataAbsent) {
      const waits = hub.waitsFor === null ? undefined : `${waitsForData(hub.waitsFor)} (PID: ${hub.pid})`
      throw absentData(instance.dataFolder, waits)
    }
    if (hub.state === 'stopped') return stopped(context, instance)
    if (said?.status) {
      const { joined, online, agent } = said.status
      const machines = `${counted(joined, 'machine')} joined, ${online} connected`
      return { state: 'ok', seen: `It runs (PID: ${agent.pid}): ${machines}` }
    }
    if (hub.state === 'unknown')
      return {
        state: 'unknown',
        seen: hub.reason ?? 'It is not known whether it runs',
        fix: 'Run: connect hub status',
      }
    return {
      state: 'failed',
      seen: `It runs (PID: ${hub.pid}), but ${said?.silence ?? 'does not answer'}`,
      fix: restartAdvice(instance),
    }
  },
}

/** What ran in a terminal need not run, nor what somebody has stopped: unless this machine needs it. */
async function stopped(context: HubProcessContext, instance: HubInstance): Promise<Finding> {
  const record = readProcessRecord(instance)
  const { command, note } = await context.startStep(instance)
  const start = `run: ${command}${note === null ? '' : ` (${note})`}`
  const fix = `R${start.slice(1)}`
  if (await isNeeded(context))
    return {
      state: 'failed',
      seen: 'It does not run, and this machine is logged in to it',
      fix,
    }
  const why = record?.end === undefined ? '' : `: ${record.end.reason}`
  if (record?.mode === 'daemon' && !wasToldToEnd(record))
    return { state: 'failed', seen: `It does not run${why}`, fix: record.end?.fix ?? fix }
  return { state: 'warning', seen: `It does not run${why}`, fix: `If it should, ${start}` }
}

async function isNeeded(context: HubProcessContext): Promise<boolean> {
  const config = await context.config().catch(() => undefined)
  if (!config) return false
  return (await context.hubData().catch(() => undefined))?.mark?.id === config.hubId
}

/** Since this machine was started: a shutdown tells all to end, and they should run again after it. */
function wasToldToEnd(record: ProcessRecord): boolean {
  const { reason = '', signal } = record.end ?? {}
  const isAsked =
    ['SIGTERM', 'SIGINT', 'SIGHUP'].includes(signal ?? '') || reason.startsWith('killed by stop')
  return isAsked && isSameBoot(record)
}
