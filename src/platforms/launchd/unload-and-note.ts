import { noteSeenEnd } from '../../control/agent-end.ts'
import { readAgentRecord } from '../../process/agent-record.ts'
import type { Termination } from '../../process/terminate.ts'
import type { Installation } from './installation.ts'

/**
 * Has launchd let go of the job, and keeps how its agent ended.
 *
 * @returns undefined if launchd didn't have it
 * @throws ConnectError SERVICE_MANAGER_FAILED, DAEMON_WONT_STOP
 */
export async function unloadAndNote(installation: Installation): Promise<Termination | undefined> {
  const pid = readAgentRecord(installation.instance)?.pid
  const unloaded = await installation.control.unload()
  if (!unloaded) return undefined
  if (unloaded.ended !== 'killed') return 'exited'
  return pid === undefined || (await noteKilled(installation, pid)) ? 'killed' : 'exited'
}

/** @returns false if the agent has said itself how it ended: then nobody had to kill it */
export async function noteKilled({ instance }: Installation, pid: number): Promise<boolean> {
  const { end, pid: recorded } = readAgentRecord(instance) ?? {}
  if (recorded === pid && end) return false
  await noteSeenEnd(instance, pid, { code: null, signal: 'SIGKILL' })
  return true
}
