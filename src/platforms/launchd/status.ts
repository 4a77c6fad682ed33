import { clearStale } from '../../control/process-end.ts'
import type { InstanceProcess } from '../../control/process-record.ts'
import { findProcess } from '../../control/find-process.ts'
import { signalName } from '../../process/signal-name.ts'
import type { PlatformStatus, StatusOptions } from '../platform.ts'
import { readMark } from './definition.ts'
import { restartsSince } from './install-receipt.ts'
import type { Installation } from './installation.ts'
import type { JobLookup } from './manager/lookup.ts'
import type { JobNames } from './manager/names.ts'
import { isCrashLooping, describeEnd, stateOf, isReadFrom, type JobState } from './manager/state.ts'

function disabledNote({ words }: JobNames): string {
  return `macOS is told not to start it: allow it in System Settings › General › Login Items & Extensions, or run: ${words.command} install`
}

/** What launchd says of the job, and beside it what an agent's own files say. */
export async function installationStatus(
  installation: Installation,
  { lookOnly = false }: StatusOptions = {},
): Promise<PlatformStatus> {
  const { instance, file, control, names } = installation
  const [found, lookup, disabled] = await Promise.all([
    findProcess(instance),
    control.look(),
    Promise.all(names.domains.map((domain) => control.isDisabled(domain))),
  ])
  const agent = found.state === 'running' ? found.agent : undefined
  const job = lookup.main(agent?.pid)?.job
  const isDisabled = disabled.includes(true)
  const installed = file.isThere
  const known = {
    installed,
    autostart: installed && !isDisabled ? 'login' : 'never',
    ...(agent?.mode === 'foreground' && { foregroundPid: agent.pid }),
    ...(found.state === 'running' && isBeside(lookup, found.agent) && { background: found }),
    ...(job?.runs !== undefined && { restarts: restartsSince(names, job.runs) }),
    ...(job?.exit && { lastExit: exitOf(job.exit) }),
    ...(lookup.loaded.length > 1 && { doubled: doubledIn(lookup) }),
  } as const
  const notes = [
    ...(isDisabled && installed ? [disabledNote(names)] : []),
    ...(job ? notesOf(installation, job) : []),
  ]
  const said = job && stateOf(job, names)
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
    const why =
      lookup.doubt ?? `It runs in the background and not by launchd. Run: ${names.words.command} restart`
    return { ...known, state: 'running', pid, startedAt, notes: [why, ...notes] }
  }
  if (lookup.doubt !== undefined) return { ...known, state: 'unknown', reason: lookup.doubt, notes }
  const cleanedUp = found.state === 'stale' && !lookOnly && (await clearStale(instance))
  return {
    ...known,
    state: 'stopped',
    ...(said?.reason !== undefined && { reason: said.reason }),
    notes,
    ...(cleanedUp && { cleanedUp }),
  }
}

function doubledIn({ loaded }: JobLookup): string {
  return `launchd has it in ${loaded.map(({ domain }) => domain).join(' and ')}: one waits for the other`
}

/** Whether the agent runs as the daemon, and certainly not as a job of launchd's. */
function isBeside({ doubt, loaded }: JobLookup, { mode, pid }: InstanceProcess): boolean {
  return mode === 'daemon' && doubt === undefined && loaded.every(({ job }) => job.pid !== pid)
}

function exitOf({ by, number }: NonNullable<JobState['exit']>): NonNullable<PlatformStatus['lastExit']> {
  return by === 'code' ? { code: number, signal: null } : { code: null, signal: signalName(number) }
}

function notesOf({ file, names }: Installation, job: JobState): string[] {
  const text = file.read()
  if (text === undefined) return [`The plist is gone. Run: ${names.words.command} install`]
  const marked = readMark(text)
  if (marked && !marked.isEdited && isReadFrom(job, names.file, marked.mark)) return []
  return [`The plist was changed since launchd has read it. Run: ${names.words.command} restart`]
}

function crashLoop(job: JobState): string {
  return `Crash loop: started ${job.runs} times so far, the last time ${describeEnd(job)}`
}
