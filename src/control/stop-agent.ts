import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { terminate, type Termination } from '../process/terminate.ts'
import { clearStale, noteStopped } from './agent-end.ts'
import { findAgent } from './find-agent.ts'

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
  try {
    await noteStopped(instance, found.agent.pid, termination)
  } catch (error) {
    // On a full or read-only disk: it is gone all the same.
    if (!(error instanceof ConnectError) || error.code !== 'WRITE_FAILED') throw error
  }
  return termination
}

export function agentElsewhere(reason: string): ConnectError {
  return new ConnectError('AGENT_ELSEWHERE', reason)
}
