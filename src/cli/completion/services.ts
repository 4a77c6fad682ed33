import type { AgentInstance } from '../../config/instance.ts'
import { readReaches } from '../../config/reaches.ts'
import { readServices } from '../../config/services.ts'
import { formatTarget } from '../../config/target.ts'
import { agentOffers } from '../../control/client.ts'
import { ANSWER_MS, quietly } from './quietly.ts'
import type { Candidate } from './shells/reply.ts'

/** A service that `connect reach` may be given. */
export interface Offered extends Candidate {
  /** Its own; none of a Unix socket's, or if that isn't known. */
  readonly port?: number | null
}

/** What the workspace offers, by the word of the agent; without that, what files of this machine name. */
export async function offeredServices(instance: AgentInstance): Promise<Offered[]> {
  const offers = await quietly(() => agentOffers(instance, ANSWER_MS))
  if (!offers) return namedHere(instance)
  return offers.map(({ name, port, label, online }) => ({
    value: name,
    port,
    about: online ? `from ${label}` : `from ${label}, which is not connected`,
  }))
}

async function namedHere(instance: AgentInstance): Promise<Offered[]> {
  const [kept, own] = [await quietly(() => keptHere(instance)), await quietly(() => exposedHere(instance))]
  const all = [...(kept ?? []), ...(own ?? [])]
  return [...new Map(all.map((one) => [one.value, one])).values()]
}

/** @throws ConnectError if the file can't be read */
export function keptHere(instance: AgentInstance): Candidate[] {
  return readReaches(instance).map(({ name, port }) => ({ value: name, about: `kept on port ${port}` }))
}

/** @throws ConnectError if the file can't be read */
export function exposedHere(instance: AgentInstance): Candidate[] {
  return readServices(instance).map((one) => ({ value: one.name, about: formatTarget(one) }))
}
