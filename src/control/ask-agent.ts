import type { Instance } from '../config/instance.ts'
import { askStatus, type Answer } from './ask-process.ts'
import { agentStatus } from './client.ts'
import type { AgentStatus } from './schema.ts'

/** What a running agent says of itself. */
export type AgentAnswer = Answer<AgentStatus>

/** Asks the agent how it is, see askStatus. */
export function askAgent(instance: Instance): Promise<AgentAnswer> {
  return askStatus(instance, () => agentStatus(instance))
}
