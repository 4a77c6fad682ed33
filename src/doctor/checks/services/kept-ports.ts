import type { AgentInstance } from '../../../config/instance.ts'
import { localAddressOf } from '../../../config/reaches.ts'
import type { AgentAnswer } from '../../../control/ask-agent.ts'
import { describeHolder, portHolder, type PortHolder } from '../../../process/port-holder.ts'
import { shownReaches, type ShownReach } from '../../../tasks/reaches/shown-reach.ts'
import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import { listed } from '../../listed.ts'
import { restsOn, Skipped, UNREADABLE } from '../../way/skipped.ts'

interface ReachesContext {
  readonly instance: AgentInstance
  agent(): Promise<AgentAnswer | undefined>
}

/** Whether the agent holds each port that is kept, and if not, who has it. */
export const keptPorts: Check<ReachesContext> = {
  name: 'kept-ports',
  group: 'services',
  title: 'Kept ports',
  timeoutMs: 7000,
  async run(context) {
    const said = await context.agent()
    const reaches = await restsOn(() => shownReaches(context.instance, said), UNREADABLE)
    if (reaches.length === 0) throw new Skipped('No reach is kept here')
    if (said && !said.status) throw new Skipped(`Not looked at, since ${said.silence}`)
    const unheld = reaches.filter(({ held }) => !held)
    if (unheld.length === 0)
      return { state: 'ok', seen: `The agent holds ${counted(reaches.length, 'port')}` }
    const taken = unheld.flatMap((reach) => {
      const holder = reach.holder ?? portHolder(reach.port)
      return holder ? [{ reach, holder }] : []
    })
    if (!said && taken.length === 0) throw new Skipped('Not looked at, since no agent runs here')
    const shown = unheld.map((reach) => describe(reach, taken.find((one) => one.reach === reach)?.holder))
    return {
      state: said ? 'failed' : 'warning',
      seen: `${unheld.length} of ${counted(reaches.length, 'port')} not held: ${listed(shown)}`,
      fix: fixOf(unheld[0]!, taken.length > 0),
    }
  },
}

function describe(reach: ShownReach, holder: PortHolder | undefined): string {
  const why = holder ? `${describeHolder(holder)} has it` : (reach.reason ?? 'nobody says why')
  return `${localAddressOf(reach)} for ${reach.name}, ${why}`
}

function fixOf({ name }: ShownReach, isTaken: boolean): string {
  if (!isTaken) return 'Run: connect daemon restart'
  return `End that program, or keep another port: connect reach ${name} --keep --port 0`
}
