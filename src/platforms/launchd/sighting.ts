import { describeResult, type RunResult } from '../../process/run.ts'
import { parseJobState, type JobState } from './job-state.ts'
import { doubtful } from './refusal.ts'

/** What is seen of a job in one domain. */
export type Sight =
  | { readonly seen: 'job'; readonly job: JobState }
  /** The domain is there, and does not have it. */
  | { readonly seen: 'nothing' }
  | { readonly seen: 'no domain' }
  /** Never taken for `nothing`. */
  | { readonly seen: 'unknown'; readonly why: string }

/** By what `launchctl error` calls the code; the text where an older one has another code. */
export function sightOf(result: RunResult, target: string, label: string): Sight {
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

/** A job where launchd has it. */
export interface Placed {
  readonly domain: string
  readonly job: JobState
}

/** What is seen of a job in all domains at one moment: after a login launchd may have it in both. */
export class Sighting {
  readonly #sights: ReadonlyMap<string, Sight>

  constructor(sights: ReadonlyMap<string, Sight>) {
    this.#sights = sights
  }

  get placed(): readonly Placed[] {
    return [...this.#sights].flatMap(([domain, sight]) =>
      sight.seen === 'job' ? [{ domain, job: sight.job }] : [],
    )
  }

  /** The one that stands for all: who has this process, else any that has one. */
  main(pid?: number): Placed | undefined {
    const { placed } = this
    return (
      placed.find(({ job }) => job.pid !== undefined && job.pid === pid) ??
      placed.find(({ job }) => job.pid !== undefined) ??
      placed[0]
    )
  }

  /** Why it is not known whether launchd has it; undefined if it is known. */
  get doubt(): string | undefined {
    return [...this.#sights.values()].find((sight) => sight.seen === 'unknown')?.why
  }

  /** Domains that are there, or may be, the best first. */
  get domains(): readonly string[] {
    return [...this.#sights].filter(([, { seen }]) => seen !== 'no domain').map(([domain]) => domain)
  }

  /** It is certain that launchd does not have it. */
  get isAbsent(): boolean {
    return this.doubt === undefined && this.placed.length === 0
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED if there is any doubt */
  certain(): this {
    if (this.doubt === undefined) return this
    throw doubtful(this.doubt)
  }
}
