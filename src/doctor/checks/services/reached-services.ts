import type { AgentInstance } from '../../../config/instance.ts'
import type { AgentAnswer } from '../../../control/ask-agent.ts'
import { shownReaches, type ShownReach } from '../../../tasks/reaches/shown-reach.ts'
import type { OfferedService } from '../../../tunnel/protocol/handshake.ts'
import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import { listed } from '../../listed.ts'
import { restsOn, Skipped, UNREADABLE } from '../../way/skipped.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

export interface ReachedContext extends WayContext {
  readonly instance: AgentInstance
  agent(): Promise<AgentAnswer | undefined>
}

/** Whether the service behind each reach that is kept is there. */
export const reachedServices: Check<ReachedContext> = {
  name: 'reached-services',
  group: 'services',
  title: 'Services behind kept ports',
  timeoutMs: WAY_MS,
  async run(context) {
    const said = await context.agent().catch(() => undefined)
    const reaches = await restsOn(() => shownReaches(context.instance, said), UNREADABLE)
    if (reaches.length === 0) throw new Skipped('No reach is kept here')
    const offers = await offersOf(context)
    const found = reaches.map((reach) =>
      missing(
        reach,
        offers.find(({ name }) => name === reach.name),
      ),
    )
    const troubles = found.filter((trouble) => trouble !== undefined)
    if (troubles.length === 0)
      return {
        state: 'ok',
        seen: `${counted(reaches.length, 'service')} offered, by machines that are connected`,
      }
    return { state: 'failed', seen: listed(troubles.map(({ seen }) => seen)), fix: troubles[0]!.fix }
  },
}

function offersOf(context: WayContext): Promise<OfferedService[]> {
  return restsOn(async () => (await context.way()).offers(), 'Not looked at, since the hub does not say')
}

function missing(
  { name, agent, failure }: ShownReach,
  offer: OfferedService | undefined,
): { seen: string; fix: string } | undefined {
  if (!offer)
    return {
      seen: `No machine exposes ${name}`,
      fix: `Expose it where it runs, or run: connect unreach ${name}`,
    }
  if (agent !== null && agent !== offer.agent)
    return {
      seen: `${name} is now of another machine, ${offer.label}`,
      fix: `If that is right, run: connect reach ${name} --keep`,
    }
  if (!offer.online)
    return {
      seen: `${name} is of ${offer.label}, which is not connected`,
      fix: 'There run: connect doctor',
    }
  if (failure)
    return { seen: `${name} of ${offer.label} fails: ${failure.reason}`, fix: 'There run: connect doctor' }
  return undefined
}
