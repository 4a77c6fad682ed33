import { absentData } from '../../../config/hub/absent-data.ts'
import { readProcessRecord } from '../../../control/process-record.ts'
import { restartAdvice } from '../../../control/restart-advice.ts'
import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import { requireHub, type HubHereContext } from '../../hub-inspection.ts'
import { told } from '../../told.ts'

/** Whether the hub runs, and answers on its socket. */
export const hubProcess: Check<HubHereContext> = {
  name: 'hub-process',
  group: 'hub-here',
  title: 'Hub on this machine',
  run: (context) =>
    told(async () => {
      const { hub, instance, said, isDataAbsent } = await requireHub(context)
      if (isDataAbsent) throw absentData(instance.dataFolder)
      if (hub.state === 'stopped') {
        // One that ran in a terminal need not run for ever.
        const isKept = readProcessRecord(instance)?.mode === 'daemon'
        const { command, note } = await context.startStep(instance)
        const fix = `Run: ${command}${note === null ? '' : ` (${note})`}`
        return { state: isKept ? 'failed' : 'warning', seen: 'It does not run', fix }
      }
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
    }),
}
