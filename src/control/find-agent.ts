import { statSync } from 'node:fs'
import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { isLocked } from '../files/lock.ts'
import { isAlive } from '../process/identity.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { namesAnAgent, readAgentRecord, type AgentIdentity } from './agent-record.ts'
import { agentStatus } from './client.ts'

/** What is found of an instance's agent. */
export type Finding =
  | { readonly state: 'none' }
  /** No agent runs, but the files name one: it is gone, or another process has its number now. */
  | { readonly state: 'stale' }
  | { readonly state: 'running'; readonly agent: AgentIdentity }
  /** An agent holds the lock, but nothing tells which process it is. */
  | { readonly state: 'unknown'; readonly reason: string }

/** How long an agent may take between taking its lock and saying who it is, or back; in ms. */
const SETTLE_MS = 2000

const ELSEWHERE = 'The agent of this instance runs in another container or PID namespace'
const NAMELESS = 'An agent holds this instance, but does not say which process it is'

/**
 * Looks for the instance's agent: by its record, held against the process table, and by the lock that an
 * agent holds for as long as it lives. Changes nothing.
 *
 * @throws ConnectError CONFIG_UNREADABLE
 */
export async function findAgent(instance: Instance): Promise<Finding> {
  const found = await waitFor(() => look(instance), { timeoutMs: SETTLE_MS })
  if (found) return found
  const record = readAgentRecord(instance)
  return { state: 'unknown', reason: record && !record.end && !isAlive(record) ? ELSEWHERE : NAMELESS }
}

async function look(instance: Instance): Promise<Finding | undefined> {
  const record = readAgentRecord(instance)
  if (record && !record.end && isAlive(record)) {
    // One that names another main file is ours if this folder was moved or linked, and not if
    // it was copied.
    const isOurs =
      record.configFile === instance.mainFile ||
      (!isAnotherFile(record.configFile, instance.mainFile) && (await isLocked(instance.lockFile)))
    if (isOurs) return { state: 'running', agent: record }
  }
  if (!(await isLocked(instance.lockFile))) {
    return namesAnAgent(instance) ? { state: 'stale' } : { state: 'none' }
  }
  const agent = await ask(instance)
  if (!agent) return undefined
  return isAlive(agent) ? { state: 'running', agent } : { state: 'unknown', reason: ELSEWHERE }
}

/** Whether two names are of files that are there, and are not the same file. */
function isAnotherFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((file) => {
    try {
      return statSync(file)
    } catch {
      // A file that is gone, or hidden from us, tells nothing.
      return undefined
    }
  })
  return first !== undefined && second !== undefined && (first.dev !== second.dev || first.ino !== second.ino)
}

/** Asks an agent whose record is gone or damaged: it may still say on its socket who it is. */
async function ask(instance: Instance): Promise<AgentIdentity | undefined> {
  try {
    return (await agentStatus(instance, SETTLE_MS / 2))?.agent
  } catch (error) {
    if (error instanceof ConnectError) return undefined
    throw error
  }
}

export function agentElsewhere(reason: string): ConnectError {
  return new ConnectError('AGENT_ELSEWHERE', reason)
}
