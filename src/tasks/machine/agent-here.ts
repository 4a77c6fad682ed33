import type { AgentInstance } from '../../config/instance.ts'
import { listService, readServices, type ListedService } from '../../config/services.ts'
import { askAgent, type AgentAnswer } from '../../control/ask-agent.ts'
import { hubConnectionOf, type HubConnection } from '../../control/hub-connection.ts'
import { loginDrift, type SavedLogin } from '../../control/login-drift.ts'
import { shownReaches, type ShownReach } from '../reaches/shown-reach.ts'
import type { Problems } from './problems.ts'
import { processHere, UNKNOWN, type ProcessHere } from './process-here.ts'

/** The agent of an instance, as the daemon or in someone's terminal. */
export interface AgentHere extends ProcessHere {
  /** How it stands with its hub; null if it doesn't run, or doesn't say. */
  readonly connection: HubConnection | null
  /** How its login differs from the one that is saved; a sentence each. */
  readonly drift: readonly string[]
}

/** The agent, and what it does; null is what can't be read. */
export interface AgentReport {
  readonly agent: AgentHere
  readonly exposed: readonly ListedService[] | null
  readonly reaches: readonly ShownReach[] | null
}

/**
 * As it says itself, else as it is saved.
 *
 * @param saved undefined if this machine is not logged in, or that is not known
 */
export async function agentHere(
  instance: AgentInstance,
  saved: SavedLogin | undefined,
  problems: Problems,
): Promise<AgentReport> {
  const found = (await problems.look(() => processHere(instance))) ?? UNKNOWN
  const said = found.state === 'stopped' ? undefined : await problems.look(() => askAgent(instance))
  const services = await problems.look(() => said?.status?.services ?? readServices(instance))
  return {
    agent: {
      ...found,
      reason: found.reason ?? said?.silence ?? null,
      connection: connectionOf(said),
      drift: said?.status && saved ? loginDrift(said.status, saved) : [],
    },
    exposed: services?.map(listService) ?? null,
    reaches: (await problems.look(() => shownReaches(instance, said))) ?? null,
  }
}

function connectionOf(said: AgentAnswer | undefined): HubConnection | null {
  return said?.status ? hubConnectionOf(said.status) : null
}
