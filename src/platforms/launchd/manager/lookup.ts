import { describeResult, type RunResult } from '../../../process/run.ts'
import { unknownStateError } from './bootstrap-error.ts'
import { parseJobState, type JobState } from './state.ts'

/** How one domain has a job. */
export type DomainLookup =
  | { readonly seen: 'job'; readonly job: JobState }
  /** The domain is there, and does not have the job. */
  | { readonly seen: 'nothing' }
  | { readonly seen: 'no domain' }
  /** Never taken for `nothing`. */
  | { readonly seen: 'unknown'; readonly why: string }

/**
 * Goes by the exit codes that `launchctl error` names, and by the text where an older launchctl
 * has another code.
 */
export function parseLookup(result: RunResult, target: string, label: string): DomainLookup {
  const { outcome, code, stdout, stderr } = result
  const unknown = (why: string) => ({ seen: 'unknown', why: `launchctl print ${target} ${why}` }) as const
  if (outcome !== 'exited') return unknown(describeResult(result))
  if (code === 0) {
    const job = parseJobState(stdout, label)
    return job ? { seen: 'job', job } : unknown('gives an answer that can’t be read')
  }
  if (code === 113 || /Could not find service/.test(stderr)) return { seen: 'nothing' }
  if (isNoDomain(result)) return { seen: 'no domain' }
  return unknown(describeResult(result))
}

export function isNoDomain({ code, stderr }: RunResult): boolean {
  return code === 112 || code === 125 || /Could not find domain/.test(stderr)
}

/** A job, and the domain that launchd has it in. */
export interface LoadedJob {
  readonly domain: string
  readonly job: JobState
}

/** A look at a job in all domains at one moment: after a login launchd may have it in both. */
export class JobLookup {
  readonly #lookups: ReadonlyMap<string, DomainLookup>

  constructor(domainLookups: ReadonlyMap<string, DomainLookup>) {
    this.#lookups = domainLookups
  }

  get loaded(): readonly LoadedJob[] {
    return [...this.#lookups].flatMap(([domain, domainLookup]) =>
      domainLookup.seen === 'job' ? [{ domain, job: domainLookup.job }] : [],
    )
  }

  /** The job that stands for all: the one with this process, else any that has a process. */
  main(pid?: number): LoadedJob | undefined {
    const { loaded } = this
    return (
      loaded.find(({ job }) => job.pid !== undefined && job.pid === pid) ??
      loaded.find(({ job }) => job.pid !== undefined) ??
      loaded[0]
    )
  }

  /** Why it is not known whether launchd has the job; undefined if that is known. */
  get doubt(): string | undefined {
    return [...this.#lookups.values()].find((domainLookup) => domainLookup.seen === 'unknown')?.why
  }

  /** Domains that are there, or may be, the best first. */
  get domains(): readonly string[] {
    return [...this.#lookups].filter(([, { seen }]) => seen !== 'no domain').map(([domain]) => domain)
  }

  /** Whether it is certain that launchd does not have the job. */
  get isAbsent(): boolean {
    return this.doubt === undefined && this.loaded.length === 0
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED if there is any doubt */
  requireKnown(): this {
    if (this.doubt === undefined) return this
    throw unknownStateError(this.doubt)
  }
}
