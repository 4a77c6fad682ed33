import type { RunResult } from '../../../process/run.ts'
import { waitFor } from '../../../runtime/wait-for.ts'
import { noDomainError, bootstrapError, type BootstrapFailure } from './bootstrap-error.ts'
import type { Launchctl, Timing } from './launchctl.ts'
import { isNoDomain, JobLookup, parseLookup, type LoadedJob, type DomainLookup } from './lookup.ts'
import type { JobNames } from './names.ts'
import { isReadFrom, type JobState } from './state.ts'

/** What `bootstrap` answers while an old job of that label is on its way out, and for much else: errno(2). */
const BUSY = new Set([5, 17, 36, 37, 130])

const SESSION_TYPE = 134
const DISABLED = 119

/** A job as launchd has it: told what to do, and then looked at, whatever launchctl answered. */
export class JobControl {
  readonly #names: JobNames
  readonly #launchctl: Launchctl
  readonly #timing: Timing

  constructor(names: JobNames, launchctl: Launchctl, timing: Timing) {
    this.#names = names
    this.#launchctl = launchctl
    this.#timing = timing
  }

  async look(): Promise<JobLookup> {
    const { domains } = this.#names
    const domainLookups = await Promise.all(domains.map((domain) => this.lookIn(domain)))
    return new JobLookup(new Map(domains.map((domain, at) => [domain, domainLookups[at]!])))
  }

  async lookIn(domain: string): Promise<DomainLookup> {
    const target = this.#target(domain)
    return parseLookup(await this.#launchctl.ask('print', target), target, this.#names.label)
  }

  /**
   * Whether someone has disabled the job, by launchctl or in System Settings.
   *
   * @returns undefined if that can't be read
   */
  async isDisabled(domain: string): Promise<boolean | undefined> {
    const { outcome, code, stdout } = await this.#launchctl.ask('print-disabled', domain)
    if (outcome !== 'exited' || code !== 0) return undefined
    return isInDisabled(stdout, this.#names.label)
  }

  /**
   * Has launchd read the plist and start it, in the best domain that takes it.
   *
   * @param mark of the plist; undefined if it has none
   * @throws ConnectError SERVICE_MANAGER_FAILED
   */
  async load(mark: string | undefined): Promise<LoadedJob> {
    const { domains } = (await this.look()).requireKnown()
    let refusal: BootstrapFailure | undefined
    for (const domain of domains) {
      // A job that was disabled once stays so, though the plist was gone meanwhile.
      await this.#launchctl.act('enable', this.#target(domain))
      const answer = await this.#bootstrap(domain, mark)
      if ('result' in answer) refusal = answer
      else {
        // RunAtLoad may have come to nothing.
        if (answer.job.pid === undefined && !answer.job.exit) await this.kickstart(domain)
        return answer
      }
      if (!refusal.isNoDomain) break
    }
    throw refusal ? bootstrapError(refusal, this.#names) : noDomainError(this.#names)
  }

  async #bootstrap(domain: string, mark: string | undefined): Promise<LoadedJob | BootstrapFailure> {
    let refusal: BootstrapFailure | undefined
    const attempt = async (): Promise<LoadedJob | BootstrapFailure | undefined> => {
      const result = await this.#launchctl.act('bootstrap', domain, this.#names.file)
      const domainLookup = await this.lookIn(domain)
      // The job may be there though this bootstrap failed: another command, or launchd itself, was quicker.
      // Where the mark isn't told, only a bootstrap that was taken tells which plist was read.
      const isTold =
        domainLookup.seen === 'job' && (domainLookup.job.definition !== undefined || result.code === 0)
      if (isTold && isReadFrom(domainLookup.job, this.#names.file, mark) && !isLeaving(domainLookup.job))
        return { domain, job: domainLookup.job }
      const doubt = domainLookup.seen === 'unknown' ? { doubt: domainLookup.why } : {}
      refusal = { result, domain, isNoDomain: isWrongDomain(result), ...doubt }
      if (result.outcome === 'missing' || refusal.isNoDomain) return refusal
      if (result.code === DISABLED || (await this.isDisabled(domain))) return { ...refusal, isDisabled: true }
      if (domainLookup.seen === 'job' && !isLeaving(domainLookup.job)) await this.bootout(domain)
      const mayPass = result.outcome === 'timed out' || result.code === 0 || BUSY.has(result.code ?? 0)
      return mayPass ? undefined : refusal
    }
    const { exitMs, slackMs, pollMs } = this.#timing
    const timeoutMs = this.#launchctl.left(exitMs + slackMs)
    return (await waitFor(attempt, { timeoutMs, everyMs: 2 * pollMs })) ?? refusal!
  }

  /** Has launchd start a job's process. @param flags `-k` ends the one that runs first, by SIGKILL */
  async kickstart(domain: string, flags: readonly string[] = []): Promise<void> {
    await this.#launchctl.act('kickstart', ...flags, this.#target(domain))
  }

  async signal(domain: string, signal: NodeJS.Signals): Promise<void> {
    await this.#launchctl.act('kill', signal, this.#target(domain))
  }

  /** Unloads the job from launchd, which it may do later than it says. */
  async bootout(domain: string): Promise<void> {
    await this.#launchctl.act('bootout', this.#target(domain))
  }

  #target(domain: string): string {
    return `${domain}/${this.#names.label}`
  }
}

/** `launchctl print-disabled` has a line for each label that someone has ever enabled or disabled. */
export function isInDisabled(text: string, label: string): boolean {
  const line = text.split('\n').find((it) => it.trim().startsWith(`"${label}" => `))
  return line !== undefined && /=> (disabled|true)$/.test(line.trim())
}

/** Whether the job's process has been sent SIGTERM. */
export function isLeaving({ state }: JobState): boolean {
  return /^SIG[A-Z]+ed$/.test(state)
}

function isWrongDomain(result: RunResult): boolean {
  return isNoDomain(result) || result.code === SESSION_TYPE
}
