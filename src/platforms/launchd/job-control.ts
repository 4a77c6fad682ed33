import { ConnectError } from '../../errors.ts'
import { identify, isAlive, type ProcessIdentity } from '../../process/identity.ts'
import type { RunResult } from '../../process/run.ts'
import { terminate, type Termination } from '../../process/terminate.ts'
import { waitFor } from '../../process/wait.ts'
import type { JobPlace } from './job-place.ts'
import { isReadFrom, type JobState } from './job-state.ts'
import type { Launchctl } from './launchctl.ts'
import { noDomain, refused, type Refusal } from './refusal.ts'
import { isNoDomain, Sighting, sightOf, type Placed, type Sight } from './sighting.ts'
import type { Timing } from './timing.ts'

/** What `bootstrap` answers while an old job of that label is on its way out, and for much else: errno(2). */
const BUSY = new Set([5, 17, 36, 37, 130])

const SESSION_TYPE = 134
const DISABLED = 119

/** A job as launchd has it: told what to do, and then looked at, whatever launchctl answered. */
export class JobControl {
  readonly #place: JobPlace
  readonly #launchctl: Launchctl
  readonly #timing: Timing

  constructor(place: JobPlace, launchctl: Launchctl, timing: Timing) {
    this.#place = place
    this.#launchctl = launchctl
    this.#timing = timing
  }

  async look(): Promise<Sighting> {
    const { domains } = this.#place
    const sights = await Promise.all(domains.map((domain) => this.lookIn(domain)))
    return new Sighting(new Map(domains.map((domain, at) => [domain, sights[at]!])))
  }

  async lookIn(domain: string): Promise<Sight> {
    const target = this.#target(domain)
    return sightOf(await this.#launchctl.ask('print', target), target, this.#place.label)
  }

  /** By someone’s `launchctl disable`, or in System Settings. @returns undefined if that can't be read */
  async isDisabled(domain: string): Promise<boolean | undefined> {
    const { outcome, code, stdout } = await this.#launchctl.ask('print-disabled', domain)
    if (outcome !== 'exited' || code !== 0) return undefined
    return isInDisabled(stdout, this.#place.label)
  }

  /**
   * Has launchd read the plist and start it, in the best domain that takes it.
   *
   * @param mark of the plist; undefined if it has none
   * @throws ConnectError SERVICE_MANAGER_FAILED
   */
  async load(mark: string | undefined): Promise<Placed> {
    const { domains } = (await this.look()).certain()
    let refusal: Refusal | undefined
    for (const domain of domains) {
      // A job that was disabled once stays so, though the plist was gone meanwhile.
      await this.#launchctl.act('enable', this.#target(domain))
      const answer = await this.#bootstrap(domain, mark)
      if ('result' in answer) refusal = answer
      else return answer.job.pid === undefined && !answer.job.exit ? this.#kickstart(answer) : answer
      if (!refusal.isNoDomain) break
    }
    throw refusal ? refused(refusal, this.#place) : noDomain()
  }

  /** RunAtLoad may have come to nothing. */
  async #kickstart({ domain, job }: Placed): Promise<Placed> {
    await this.#launchctl.act('kickstart', this.#target(domain))
    return { domain, job }
  }

  async #bootstrap(domain: string, mark: string | undefined): Promise<Placed | Refusal> {
    let refusal: Refusal | undefined
    const attempt = async (): Promise<Placed | Refusal | undefined> => {
      const result = await this.#launchctl.act('bootstrap', domain, this.#place.file)
      const sight = await this.lookIn(domain)
      // Also where another command, or launchd itself, was quicker.
      // Where the mark isn't told, only a bootstrap that was taken tells which plist was read.
      const isTold = sight.seen === 'job' && (sight.job.definition !== undefined || result.code === 0)
      if (isTold && isReadFrom(sight.job, this.#place.file, mark) && !isLeaving(sight.job))
        return { domain, job: sight.job }
      const doubt = sight.seen === 'unknown' ? { doubt: sight.why } : {}
      refusal = { result, domain, isNoDomain: hasNoPlace(result), ...doubt }
      if (result.outcome === 'missing' || refusal.isNoDomain) return refusal
      if (result.code === DISABLED || (await this.isDisabled(domain))) return { ...refusal, isDisabled: true }
      if (sight.seen === 'job' && !isLeaving(sight.job)) await this.#bootout(domain)
      const mayPass = result.outcome === 'timed out' || result.code === 0 || BUSY.has(result.code ?? 0)
      return mayPass ? undefined : refusal
    }
    const { exitMs, slackMs, pollMs } = this.#timing
    const timeoutMs = this.#launchctl.left(exitMs + slackMs)
    return (await waitFor(attempt, { timeoutMs, everyMs: 2 * pollMs })) ?? refusal!
  }

  /**
   * Has launchd let go of the job wherever it has it, and waits until it and its process are gone.
   *
   * @returns undefined if launchd didn't have it; else how its process ended, if it had one
   * @throws ConnectError SERVICE_MANAGER_FAILED, DAEMON_WONT_STOP
   */
  async unload(): Promise<{ readonly ended: Termination | undefined } | undefined> {
    const first = (await this.look()).certain()
    if (first.isAbsent) return undefined
    const { exitMs, slackMs, pollMs } = this.#timing
    const processes = new Map<number, ProcessIdentity>()
    const began = performance.now()
    let askedAt = Number.NEGATIVE_INFINITY
    const absent = async () => {
      const sighting = askedAt < began ? first : await this.look()
      note(processes, sighting)
      if (sighting.isAbsent) return true
      // It may not have been heard.
      if (performance.now() - askedAt < exitMs / 2) return undefined
      for (const { domain, job } of sighting.placed) if (!isLeaving(job)) await this.#bootout(domain)
      askedAt = performance.now()
      return undefined
    }
    const timeoutMs = this.#launchctl.left(exitMs + slackMs)
    if (!(await waitFor(absent, { timeoutMs, everyMs: pollMs }))) await this.#mustBeGone()
    const took = performance.now() - began
    for (const one of processes.values()) {
      // launchd has forgotten it.
      if (isAlive(one)) await terminate(one, { group: true, graceMs: exitMs })
    }
    if (processes.size === 0) return { ended: undefined }
    return { ended: took < exitMs * 0.9 ? 'exited' : 'killed' }
  }

  /**
   * Has launchd start another process for a job, from what it has read: SIGTERM first, since `kickstart -k` knows only
   * SIGKILL.
   */
  async restart({ domain, job }: Placed): Promise<Termination> {
    const { exitMs, pollMs } = this.#timing
    const former = job.pid === undefined ? undefined : identify(job.pid)
    const target = this.#target(domain)
    await this.#launchctl.act('kill', 'SIGTERM', target)
    const gone = () => (former && isAlive(former) ? undefined : true)
    const timeoutMs = this.#launchctl.left(exitMs)
    const isGone = (await waitFor(gone, { timeoutMs, everyMs: pollMs })) === true
    await this.#launchctl.act('kickstart', ...(isGone ? [] : ['-k']), target)
    return isGone ? 'exited' : 'killed'
  }

  async #bootout(domain: string): Promise<void> {
    await this.#launchctl.act('bootout', this.#target(domain))
  }

  /** At the end of the time: it may have gone at the last moment, or be about to. @throws ConnectError DAEMON_WONT_STOP */
  async #mustBeGone(): Promise<void> {
    const { placed, isAbsent } = (await this.look()).certain()
    if (isAbsent) return
    const { label } = this.#place
    const pids = placed.flatMap(({ job }) => job.pid ?? [])
    const isGoing = placed.every(({ job }) => isLeaving(job))
    const runs = pids.length === 0 ? 'it is still loaded' : `it still runs (PID: ${pids.join(', ')})`
    const still = isGoing ? 'it is on its way out' : runs
    throw new ConnectError('DAEMON_WONT_STOP', `launchd has not let go of ${label}: ${still}`, {
      hints: placed.map(({ domain }) => `Look at it: launchctl print ${this.#target(domain)}`),
    })
  }

  #target(domain: string): string {
    return `${domain}/${this.#place.label}`
  }
}

/** `launchctl print-disabled` has a line for each label that someone has ever enabled or disabled. */
export function isInDisabled(text: string, label: string): boolean {
  const line = text.split('\n').find((it) => it.trim().startsWith(`"${label}" => `))
  return line !== undefined && /=> (disabled|true)$/.test(line.trim())
}

/** It has had its SIGTERM. */
function isLeaving({ word }: JobState): boolean {
  return /^SIG[A-Z]+ed$/.test(word)
}

function hasNoPlace(result: RunResult): boolean {
  return isNoDomain(result) || result.code === SESSION_TYPE
}

function note(processes: Map<number, ProcessIdentity>, { placed }: Sighting): void {
  for (const { job } of placed) {
    const identity = job.pid === undefined || processes.has(job.pid) ? undefined : identify(job.pid)
    if (identity) processes.set(identity.pid, identity)
  }
}
