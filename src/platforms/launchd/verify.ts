import path from 'node:path'
import { ConnectError } from '../../errors.ts'
import { realPathIfThere } from '../../files/real-path.ts'
import { identify } from '../../process/identity.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import { tilde } from '../../text/tilde.ts'
import type { Daemon, Started, StartOptions } from '../platform.ts'
import type { Installation } from './installation.ts'
import { unknownStateError } from './manager/bootstrap-error.ts'
import type { JobNames } from './manager/names.ts'
import { CANNOT_RUN, describeEnd, describeLastEnd, stateOf, type JobState } from './manager/state.ts'

/** The signs of a job that was just started. */
export interface Expected {
  readonly domain: string
  /** How often the job had been started before. */
  readonly runsBefore: number
  /** The process that was there before, and is not what is waited for. */
  readonly not?: number | undefined
  /** How long launchd may take beyond the time that it must be stable, in ms; default as in `TIMING`. */
  readonly slackMs?: number
}

/** A process of a job, and how often launchd had started one by then. */
export interface Verified extends Started {
  readonly runs: number | undefined
}

/** What was seen of a job until it was proven or had ended, or until the time was over. */
export interface Watched {
  readonly proven: Verified | undefined
  /** Its process ended, or was started more than once. */
  readonly hasEnded: boolean
  readonly last: JobState | undefined
}

/**
 * Looks whether a job that was just started has a process which stays. One that ends at once is soon started
 * again, so that it runs whenever one looks: the count tells.
 */
export async function watch(
  { names, control, launchctl, timing }: Installation,
  { domain, runsBefore, not, slackMs = timing.slackMs }: Expected,
  { isReady, stableMs }: StartOptions,
): Promise<Watched> {
  const { askMs, pollMs } = timing
  launchctl.limit(stableMs + slackMs + askMs)
  let seen: { pid: number; since: number } | undefined
  let last: JobState | undefined
  const outcome = await waitFor(
    async (): Promise<Verified | 'ended' | undefined> => {
      const domainLookup = await control.lookIn(domain)
      if (domainLookup.seen !== 'job') return undefined
      const { pid, runs } = (last = domainLookup.job)
      if (hasEndedSince(last, runsBefore)) return 'ended'
      if (stateOf(last, names).state !== 'running' || pid === undefined || pid === not || !identify(pid))
        return undefined
      if (seen && seen.pid !== pid) return 'ended'
      seen ??= { pid, since: performance.now() }
      if (await isReady(pid)) return { pid, ready: true, runs }
      return performance.now() - seen.since >= stableMs ? { pid, ready: false, runs } : undefined
    },
    { timeoutMs: stableMs + slackMs, everyMs: pollMs },
  )
  const proven = typeof outcome === 'object' ? outcome : undefined
  return { proven, hasEnded: outcome === 'ended', last }
}

/**
 * Tells by what was watched whether the job runs.
 *
 * @param why what may keep launchd from running it
 * @throws ConnectError DAEMON_FAILED, SERVICE_MANAGER_FAILED
 */
export async function verify(
  { control, names }: Installation,
  { domain }: Expected,
  { proven, hasEnded, last }: Watched,
  why: string | undefined,
): Promise<Verified> {
  if (proven) return proven
  if (hasEnded && last) throw failureOf(names, last, why)
  const domainLookup = await control.lookIn(domain)
  if (domainLookup.seen === 'unknown') throw unknownStateError(domainLookup.why)
  const what =
    domainLookup.seen === 'job'
      ? `launchd does not start it (it says: ${domainLookup.job.state})`
      : 'launchd has lost it'
  throw new ConnectError('SERVICE_MANAGER_FAILED', what, {
    hints: [...(why === undefined ? [] : [why]), `Look at it: launchctl print ${domain}/${names.label}`],
  })
}

function hasEndedSince({ pid, runs, exit }: JobState, runsBefore: number): boolean {
  const started = runs === undefined ? runsBefore + 1 : runs
  if (started > runsBefore + 1) return true
  return started > runsBefore && pid === undefined && exit !== undefined
}

function failureOf({ words }: JobNames, job: JobState, why: string | undefined): ConnectError {
  if (job.exit?.by === 'code' && job.exit.number === CANNOT_RUN) {
    return new ConnectError('SERVICE_MANAGER_FAILED', describeEnd(job), {
      hints: [
        why ??
          `The program, or the folder of its log, is missing or closed to it. Run: ${words.command} install`,
      ],
    })
  }
  return new ConnectError('DAEMON_FAILED', `${words.subject} failed to start: ${describeLastEnd(job)}`)
}

/** Folders that macOS lets a program look into only once the user has said yes: launchd can't ask. */
const PROTECTED = ['Documents', 'Desktop', 'Downloads']

/**
 * Something that the daemon needs and launchd may be kept from.
 *
 * @returns a sentence that says what to do; undefined if there is none
 */
export function warnOfProtected({ command, logFile }: Daemon, home: string): string | undefined {
  const [node, script, ...args] = command
  const files = [node, script, logFile, ...args].filter((it) => it !== undefined && path.isAbsolute(it))
  for (const file of files) {
    const folder = protectedAbove(file!, home)
    if (folder === undefined) continue
    return `${tilde(file!)} lies in ${tilde(folder)}, which macOS keeps background programs out of: move it elsewhere, or allow ${node} under System Settings › Privacy & Security › Full Disk Access`
  }
  return undefined
}

function protectedAbove(file: string, home: string): string | undefined {
  const folders = PROTECTED.map((name) => path.join(home, name))
  const real = realPathIfThere(file) ?? file
  return folders.find((folder) => [file, real].some((it) => it.startsWith(folder + path.sep)))
}
