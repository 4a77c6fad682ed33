import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { endAgentRecord, readAgentRecord } from '../process/agent-record.ts'
import { isSameProcess, type ProcessIdentity } from '../process/identity.ts'
import { terminate, type Termination } from '../process/terminate.ts'
import { takeAgentLock } from './agent-lock.ts'
import { clearStale, findAgent } from './find-agent.ts'

/**
 * Ends the daemon that was started in the background, and its children. One in the foreground is left alone.
 *
 * @returns how it went; undefined if none was running
 * @throws ConnectError DAEMON_WONT_STOP, AGENT_ELSEWHERE
 */
export async function stopAgent(instance: Instance): Promise<Termination | undefined> {
  const found = await findAgent(instance)
  if (found.state === 'unknown') throw agentElsewhere(found.reason)
  if (found.state === 'stale') await clearStale(instance)
  if (found.state !== 'running' || found.agent.mode !== 'daemon') return undefined
  // It was started in a session of its own, so it leads its group.
  const termination = await terminate(found.agent, { group: true })
  await noteEnd(instance, found.agent, termination)
  return termination
}

export function agentElsewhere(reason: string): ConnectError {
  return new ConnectError('AGENT_ELSEWHERE', reason)
}

/** One that had to be killed could not say how it ended. On a full or read-only disk nobody can: it is gone all the same. */
async function noteEnd(instance: Instance, agent: ProcessIdentity, termination: Termination): Promise<void> {
  try {
    await noteEndUnderLock(instance, agent, termination)
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== 'WRITE_FAILED') throw error
  }
}

async function noteEndUnderLock(
  instance: Instance,
  agent: ProcessIdentity,
  termination: Termination,
): Promise<void> {
  const lock = await takeAgentLock(instance)
  // Another agent has started meanwhile: the files are its own now.
  if (!lock) return
  try {
    const record = readAgentRecord(instance)
    if (!record || record.end || !isSameProcess(record, agent)) return
    const reason = termination === 'killed' ? 'killed by stop, 5 s after SIGTERM' : 'ended by stop'
    const signal = termination === 'killed' ? 'SIGKILL' : 'SIGTERM'
    endAgentRecord(instance, { at: new Date().toISOString(), reason, code: null, signal, fix: null })
  } finally {
    lock.release()
  }
}
