import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { readAgentRecord } from './agent-record.ts'
import { agentStatus } from './client.ts'
import type { AgentStatus } from './schema.ts'

/** What a running agent says of itself. */
export interface AgentAnswer {
  readonly status?: AgentStatus
  /** Why there is no status. */
  readonly silence?: string
  /** The agent's version, from its record if it doesn't answer; null if neither tells. */
  readonly version: string | null
}

/**
 * Asks the agent how it is. That it doesn't answer, or not in words that this version knows, is no error: the
 * reason is told.
 */
export async function askAgent(instance: Instance): Promise<AgentAnswer> {
  try {
    const status = await agentStatus(instance)
    if (status) return { status, version: status.agent.version }
    return { silence: 'the agent does not answer on its socket', version: recordedVersion(instance) }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    const version = recordedVersion(instance)
    if (error.code !== 'AGENT_OTHER_VERSION')
      return { silence: 'the agent does not answer on its socket', version }
    return { silence: 'the agent’s answer can’t be read: most likely it is of another version', version }
  }
}

/** Empty in a record that the agent itself has not written yet. */
export function recordedVersion(instance: Instance): string | null {
  return readAgentRecord(instance)?.version || null
}
