import type { Config } from '../config/config.ts'
import { printable } from '../text/printable.ts'
import type { AgentStatus } from './schema.ts'

/** Who this machine is, and to which hub, as it is saved; `hub` in the form of `hubOf`. */
export type SavedLogin = Pick<Config, 'agentId' | 'hub'>

/**
 * Tells how the login of an agent that runs differs from the one that is saved: it goes on with what it had
 * as it started.
 *
 * @returns sentences without a full stop; none if nothing differs
 */
export function loginDrift(agent: Pick<AgentStatus, 'agentId' | 'hubUrl'>, saved: SavedLogin): string[] {
  const differs = (its: string, ours: string) => [
    `The agent that runs is logged in ${printable(its)}, and this machine ${ours}`,
  ]
  if (agent.hubUrl !== saved.hub) return differs(`to ${agent.hubUrl}`, `to ${saved.hub}`)
  if (agent.agentId !== saved.agentId) return differs(`as ${agent.agentId}`, `as ${saved.agentId}`)
  return []
}
