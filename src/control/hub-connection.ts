import type { AgentStatus } from './schema.ts'

/** How an agent stands with its hub, in the same shape whatever the state. */
export interface HubConnection {
  readonly state: AgentStatus['hub']['state']
  /** RFC 3339 */
  readonly since: string
  /** Why the agent has to try again; null otherwise. */
  readonly reason: string | null
}

export function hubConnectionOf({ hub }: AgentStatus): HubConnection {
  return { state: hub.state, since: hub.since, reason: hub.state === 'retrying' ? hub.reason : null }
}
