import { closeSync } from 'node:fs'
import { findAgent } from '../../control/find-agent.ts'
import { stopAgent } from '../../control/stop-agent.ts'
import { readAgentRecord } from '../../process/agent-record.ts'
import { openLog } from '../../process/spawn-detached.ts'
import type { Termination } from '../../process/terminate.ts'
import type { Daemon, Installed, StartOptions } from '../platform.ts'
import { stateOf } from './describe-job.ts'
import type { Installation } from './installation.ts'
import { isReadFrom } from './job-state.ts'
import { plistText, readMark } from './plist.ts'
import { warnOfProtected } from './protected-folder.ts'
import { proveRunning, type Expected, type Proven } from './prove.ts'
import { orPutBack } from './put-back.ts'
import { isForeign } from './refusal.ts'
import type { Placed, Sighting } from './sighting.ts'
import { rememberRuns } from './traces.ts'
import { noteKilled, unloadAndNote } from './unload-and-note.ts'

export interface BroughtUp extends Omit<Proven, 'stopped'> {
  /** What became of the plist. */
  readonly written: Installed['change']
  readonly domain: string
  /** It ran by that very plist, and was left alone. */
  readonly isUntouched?: boolean
  readonly stopped: Termination | undefined
}

/**
 * Has the job run by the plist that this version would write, and proves that it does.
 *
 * @param how.anew also one that runs by it already
 * @throws ConnectError DAEMON_FAILED, SERVICE_MANAGER_FAILED, DAEMON_WONT_STOP, WRITE_FAILED, INSTALL_UNSUPPORTED; all is
 * then as it was before, or it is said how it was left
 */
export async function bringUp(
  installation: Installation,
  daemon: Daemon,
  options: StartOptions,
  how = { anew: false },
): Promise<BroughtUp> {
  const { place, file, instance, control, launchctl, timing } = installation
  file.checkIsOurs()
  const text = plistText(daemon, place.label)
  const mark = readMark(text)?.mark
  launchctl.limit(timing.totalMs)
  const sighting = (await control.look()).certain()
  const found = file.read()
  // Else launchd would make it, for all to read.
  closeSync(openLog(daemon.logFile))
  const other = await stopOther(installation, sighting)
  const main = sighting.main(readAgentRecord(instance)?.pid)
  const written = found === undefined ? 'created' : found === text ? 'unchanged' : 'updated'
  const isRead = main !== undefined && isReadFrom(main.job, place.file, mark)
  const isSame = written === 'unchanged' && !isForeign(place.file) && isRead
  const prove = (expected: Expected) => proveAndRemember(installation, expected, daemon, options)
  const before = { text: found, isLoaded: main !== undefined }
  return orPutBack(installation, before, options, async () => {
    if (main && isSame && main.job.pid !== undefined) {
      const { domain, job } = main
      if (!how.anew) {
        const proven = await prove({ domain, runsBefore: (job.runs ?? 1) - 1 })
        return { ...proven, written, domain, isUntouched: true, stopped: other }
      }
      const stopped = await restartInPlace(installation, main)
      const expected = { domain, runsBefore: job.runs ?? 1, not: job.pid }
      if (stopped) return { ...(await prove(expected)), written, domain, stopped }
    }
    const ended = await unloadAndNote(installation)
    if (found !== undefined && found !== text) file.keepOld(found, instance.folder)
    // Also for its mode, and its owner.
    file.put(text)
    const { domain } = await control.load(mark)
    return { ...(await prove({ domain, runsBefore: 0 })), written, domain, stopped: ended ?? other }
  })
}

/** @returns undefined if launchd has not done so: then only reading the plist anew helps */
async function restartInPlace(
  installation: Installation,
  { domain, job }: Placed,
): Promise<Termination | undefined> {
  const stopped = await installation.control.restart({ domain, job })
  if (stopped === 'killed') await noteKilled(installation, job.pid!)
  const sight = await installation.control.lookIn(domain)
  if (sight.seen !== 'job' || sight.job.pid === job.pid) return undefined
  return ['running', 'starting'].includes(stateOf(sight.job).state) ? stopped : undefined
}

async function proveAndRemember(
  installation: Installation,
  expected: Expected,
  daemon: Daemon,
  options: StartOptions,
): Promise<Proven> {
  const { place } = installation
  const proven = await proveRunning(installation, expected, options, warnOfProtected(daemon, place.home))
  if (proven.runs !== undefined) rememberRuns(place, proven.runs)
  return proven
}

/** One that was started in the background would hold the agent's lock for ever. */
async function stopOther({ instance }: Installation, { placed }: Sighting): Promise<Termination | undefined> {
  const found = await findAgent(instance)
  if (found.state !== 'running' || placed.some(({ job }) => job.pid === found.agent.pid)) return undefined
  return stopAgent(instance)
}
