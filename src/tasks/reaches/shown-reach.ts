import type { AgentInstance } from '../../config/instance.ts'
import { readReaches, type KeptReach } from '../../config/reaches.ts'
import type { AgentAnswer } from '../../control/ask-agent.ts'
import type { ReachStatus } from '../../control/schema.ts'
import { portHolder, type PortHolder } from '../../process/port-holder.ts'

/** A kept reach as commands show it; also its shape with --json. */
export interface ShownReach extends Omit<ReachStatus, 'since' | 'connections'> {
  /** The port is listened on. */
  readonly held: boolean
  /** Null unless an agent says so. */
  readonly since: string | null
  /** Who has the port instead, as far as the system tells. */
  readonly holder: PortHolder | null
  /** Null unless an agent says so. */
  readonly connections: number | null
}

/**
 * What is kept, as the agent says it, else as it is saved.
 *
 * @param said undefined if no agent runs
 * @throws ConnectError REACHES_DAMAGED, CONFIG_UNREADABLE, CONFIG_NEWER
 */
export function shownReaches(instance: AgentInstance, said: AgentAnswer | undefined): ShownReach[] {
  const told = said?.status?.reaches
  if (told) return told.map(shownReach)
  const silence = said?.status ? 'the agent that runs is of a version that keeps no reaches' : said?.silence
  return readReaches(instance).map((reach) => unheldReach(reach, silence ?? NO_AGENT))
}

export const NO_AGENT = 'no agent runs here'

/** As an agent says it. */
export function shownReach(reach: ReachStatus): ShownReach {
  const holder = reach.code === 'PORT_IN_USE' ? portHolder(reach.port) : undefined
  return { ...reach, held: reach.addresses.length > 0, holder: holder ?? null }
}

/** As it is saved. */
export function unheldReach({ name, port, bind, agent }: KeptReach, reason = NO_AGENT): ShownReach {
  const untold = { code: null, since: null, holder: null, connections: null, failure: null }
  return {
    name,
    port,
    bind: bind ?? null,
    agent: agent ?? null,
    held: false,
    addresses: [],
    reason,
    ...untold,
  }
}
