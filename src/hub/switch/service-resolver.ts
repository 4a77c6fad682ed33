import type { AgentRef } from './agent-ref.ts'
import type { SwitchPort } from './switch-port.ts'

/** Why a service can't be reached. */
export interface Unreachable {
  readonly code: number
  readonly message: string
  /** The service's agent may be back any moment: a stream to it may wait. */
  readonly isExpected?: boolean
}

/** Who offers what, and to whom. */
export interface ServiceResolver {
  /**
   * Finds the link where a service is for the agent that opens a stream to it, or says why there is none.
   *
   * @param named the agent that the service must be of; OTHER_AGENT if it is another's
   */
  resolve(opener: AgentRef, service: string, named?: string): SwitchPort | Unreachable
  /** The names of an agent's services. */
  servicesOf(agent: AgentRef): Iterable<string>
  /** Whether a stream from one agent to a service of another may go on. */
  mayReach(opener: AgentRef, service: string, acceptor: AgentRef): boolean
}
