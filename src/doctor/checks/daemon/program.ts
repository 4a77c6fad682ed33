import { readProcessRecord } from '../../../control/process-record.ts'
import { isOwnSshSession } from '../../../tasks/own-ssh-session.ts'
import { driftOf } from '../../../tasks/kept-status.ts'
import type { Check } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

/** An agent that was started before an upgrade is still the old one. */
export const program: Check<DoctorContext> = {
  name: 'program',
  group: 'daemon',
  title: 'Program and version',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const said = await context.agent()
    if (!said) return { state: 'skipped', seen: 'No agent runs' }
    const daemonContext = await context.daemonContext()
    const agent = said.status?.agent ?? readProcessRecord(context.instance)
    const drift = driftOf(daemonContext, agent)
    if (drift.length === 0)
      return { state: 'ok', seen: `Version ${said.version ?? 'unknown'}, as it is installed` }
    if (agent?.mode === 'foreground')
      return {
        state: 'warning',
        seen: drift.join('; '),
        fix: 'End it with Ctrl-C where it runs, then run: connect up',
      }
    return {
      state: 'warning',
      seen: drift.join('; '),
      fix: 'Have it started anew, which ends what it carries for a moment: connect daemon restart',
      ...(!(await isOwnSshSession(daemonContext)) && { mend: () => context.restart() }),
    }
  },
}
