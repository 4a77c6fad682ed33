import { closeSync } from 'node:fs'
import { noteStopped } from '../../control/process-end.ts'
import { readProcessRecord } from '../../control/process-record.ts'
import { openOutputLog } from '../../process/spawn-detached.ts'
import type { Termination } from '../../process/terminate.ts'
import type { Action, Daemon, Installed, Skipped, StartOptions, Step } from '../platform.ts'
import { stabilise, VERIFY } from '../stabilise.ts'
import { withRescue } from '../with-rescue.ts'
import { plistText, readMark } from './definition.ts'
import { recordRuns } from './install-receipt.ts'
import type { Installation } from './installation.ts'
import { isForeign } from './manager/bootstrap-error.ts'
import type { LoadedJob } from './manager/lookup.ts'
import { isReadFrom, stateOf } from './manager/state.ts'
import { rollBack, type Previous } from './rollback.ts'
import { StopInPlace, stopSteps, Unload, unload } from './stop.ts'
import { verify, warnOfProtected, watch, type Expected, type Verified, type Watched } from './verify.ts'

export interface BroughtUp extends Omit<Verified, 'stopped'> {
  /** What became of the plist. */
  readonly change: Installed['change']
  readonly domain: string
  /** The job ran by that very plist, and was left alone. */
  readonly isUntouched: boolean
  readonly stopped: Termination | undefined
}

/** What is there before, and the way from there. */
interface Course {
  readonly before: Previous
  readonly change: Installed['change']
  /** The job that runs by the plist that this version would write: launchd need not read that again. */
  readonly kept: LoadedJob | undefined
  /** How the job is stopped first, or why it isn't. */
  readonly stopping: StopInPlace | Unload | Skipped
}

/**
 * Has the job run by the plist that this version would write, and proves that it does. If a step fails, all
 * is then as it was before, or it is said how it was left.
 *
 * @param how.anew also a job that runs by that plist already
 * @throws ConnectError in a step: DAEMON_FAILED, SERVICE_MANAGER_FAILED,
 * DAEMON_WONT_STOP, WRITE_FAILED, INSTALL_UNSUPPORTED
 */
export function bringUp(
  installation: Installation,
  daemon: Daemon,
  options: StartOptions,
  how = { anew: false },
): Action<BroughtUp> {
  const { names, file, instance, control } = installation
  let text: string
  let mark: string | undefined
  let course: Course
  let expected: Expected
  let watched: Watched
  let proven: Verified
  let stopped: Termination | undefined

  const loadAnew = async () => {
    const { domain } = await control.load(mark)
    expected = { domain, runsBefore: 0 }
  }
  const steps: Step[] = [
    ...stopSteps(installation, () => course.stopping),
    {
      title: 'Write the plist',
      async run() {
        const { stopping, before } = course
        if (!('skipped' in stopping)) stopped = stopping.termination
        if (course.kept) return { skipped: 'it is as it should be' }
        if (before.text !== undefined && before.text !== text) file.keepOld(before.text, instance.folder)
        // Also where the text is the same: mode and owner may not be.
        file.put(text)
        return undefined
      },
    },
    {
      title: 'Ask launchd to start it',
      async run() {
        const { kept, stopping } = course
        if (!kept) return loadAnew()
        const { domain, job } = kept
        if (!(stopping instanceof StopInPlace)) {
          expected = { domain, runsBefore: (job.runs ?? 1) - 1 }
          return { skipped: 'it runs' }
        }
        expected = { domain, runsBefore: job.runs ?? 1, not: job.pid }
        if (await startAgain(installation, kept, stopping)) return
        // Then launchd has to read the plist anew.
        await unload(installation)
        file.put(text)
        return loadAnew()
      },
    },
    {
      ...stabilise(options.stableMs),
      async run() {
        watched = await watch(installation, expected, options)
      },
    },
    {
      title: VERIFY,
      async run() {
        const why = warnOfProtected(daemon, names.home)
        proven = await verify(installation, expected, watched, why)
        if (proven.runs !== undefined) recordRuns(names, proven.runs)
      },
    },
  ]
  return {
    steps: [
      {
        title: 'Look at what launchd has',
        async run() {
          text = plistText(daemon, names.label)
          mark = readMark(text)?.mark
          course = await plot(installation, daemon, { text, mark, anew: how.anew })
        },
      },
      ...withRescue(steps, (error) => rollBack(installation, course.before, error, options)),
    ],
    result() {
      const { change, stopping } = course
      const { domain } = expected
      return { ...proven, change, domain, isUntouched: 'skipped' in stopping, stopped }
    },
  }
}

/** @throws ConnectError if nothing can be brought up: nothing has been changed then */
async function plot(
  installation: Installation,
  daemon: Daemon,
  { text, mark, anew }: { text: string; mark: string | undefined; anew: boolean },
): Promise<Course> {
  const { names, file, instance, control, launchctl, timing } = installation
  file.checkIsOurs()
  launchctl.limit(timing.totalMs)
  const lookup = (await control.look()).requireKnown()
  const found = file.read()
  // launchd would make the log for all to read.
  closeSync(openOutputLog(daemon.logFile))
  const main = lookup.main(readProcessRecord(instance)?.pid)
  const change = found === undefined ? 'created' : found === text ? 'unchanged' : 'updated'
  const isRead = main !== undefined && isReadFrom(main.job, names.file, mark)
  const isSame = change === 'unchanged' && !isForeign(names.file) && isRead
  const before = { text: found, isLoaded: main !== undefined }
  const kept = isSame && main.job.pid !== undefined ? main : undefined
  if (!kept) return { before, change, kept, stopping: new Unload(installation) }
  const stopping = anew
    ? new StopInPlace(installation, kept)
    : { skipped: 'it runs by the plist that it should' }
  return { before, change, kept, stopping }
}

/** Has launchd start a stopped job again. @returns false if it has not */
async function startAgain(
  { control, instance, names }: Installation,
  { domain, job }: LoadedJob,
  { isGone, termination }: StopInPlace,
): Promise<boolean> {
  await control.kickstart(domain, isGone ? [] : ['-k'])
  if (!isGone) await noteStopped(instance, job.pid, termination)
  const domainLookup = await control.lookIn(domain)
  if (domainLookup.seen !== 'job' || domainLookup.job.pid === job.pid) return false
  return ['running', 'starting'].includes(stateOf(domainLookup.job, names).state)
}
