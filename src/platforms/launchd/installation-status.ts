import { clearStale } from '../../control/agent-end.ts'
import { findAgent } from '../../control/find-agent.ts'
import type { AgentIdentity } from '../../process/agent-record.ts'
import { signalName } from '../../process/signal-name.ts'
import type { PlatformStatus } from '../platform.ts'
import { isCrashLooping, describeEnd, stateOf } from './describe-job.ts'
import type { Installation } from './installation.ts'
import { isReadFrom, type JobState } from './job-state.ts'
import { readMark } from './plist.ts'
import type { Sighting } from './sighting.ts'
import { restartsSince } from './traces.ts'

const DISABLED =
  'macOS is told not to start it: allow it in System Settings › General › Login Items & Extensions, or run: connect daemon install'

/** What launchd says of the job, and beside it what an agent's own files say. */
export async function installationStatus(installation: Installation): Promise<PlatformStatus> {
  const { instance, file, control, place } = installation
  const [found, sighting, disabled] = await Promise.all([
    findAgent(instance),
    control.look(),
    Promise.all(place.domains.map((domain) => control.isDisabled(domain))),
  ])
  const agent = found.state === 'running' ? found.agent : undefined
  const job = sighting.main(agent?.pid)?.job
  const isDisabled = disabled.includes(true)
  const installed = file.isThere
  const known = {
    installed,
    startsAt: installed && !isDisabled ? 'login' : 'never',
    ...(agent?.mode === 'foreground' && { foregroundPid: agent.pid }),
    ...(found.state === 'running' && isBeside(sighting, found.agent) && { background: found }),
    ...(job?.runs !== undefined && { restarts: restartsSince(place, job.runs) }),
    ...(job?.exit && { lastExit: exitOf(job.exit) }),
  } as const
  const notes = [...(isDisabled && installed ? [DISABLED] : []), ...(job ? notesOf(installation, job) : [])]
  const said = job && stateOf(job)
  if (job && said && said.state !== 'stopped') {
    const isItself = agent && agent.pid === job.pid
    const ageMs = isItself ? Date.now() - Date.parse(agent.startedAt) : undefined
    return {
      ...known,
      ...said,
      ...(job.pid !== undefined && { pid: job.pid }),
      ...(isItself && { startedAt: agent.startedAt }),
      notes: isCrashLooping(job, ageMs) ? [crashLoop(job), ...notes] : notes,
    }
  }
  if (agent?.mode === 'daemon') {
    const { pid, startedAt } = agent
    const why = sighting.doubt ?? 'It runs in the background and not by launchd. Run: connect daemon restart'
    return { ...known, state: 'running', pid, startedAt, notes: [why, ...notes] }
  }
  if (sighting.doubt !== undefined) return { ...known, state: 'unknown', reason: sighting.doubt, notes }
  const cleanedUp = found.state === 'stale' && (await clearStale(instance))
  return {
    ...known,
    state: 'stopped',
    ...(said?.reason !== undefined && { reason: said.reason }),
    notes,
    ...(cleanedUp && { cleanedUp }),
  }
}

/** It runs as the daemon, and certainly is none of launchd's. */
function isBeside({ doubt, placed }: Sighting, { mode, pid }: AgentIdentity): boolean {
  return mode === 'daemon' && doubt === undefined && placed.every(({ job }) => job.pid !== pid)
}

function exitOf({ by, number }: NonNullable<JobState['exit']>): NonNullable<PlatformStatus['lastExit']> {
  return by === 'code' ? { code: number, signal: null } : { code: null, signal: signalName(number) }
}

function notesOf({ file, place }: Installation, job: JobState): string[] {
  const text = file.read()
  if (text === undefined) return ['The plist is gone. Run: connect daemon install']
  const marked = readMark(text)
  if (marked && !marked.isEdited && isReadFrom(job, place.file, marked.mark)) return []
  return ['The plist was changed since launchd has read it. Run: connect daemon restart']
}

function crashLoop(job: JobState): string {
  return `It keeps ending: started ${job.runs} times so far, the last time ${describeEnd(job)}`
}
