import { readProcessRecord } from '../../control/process-record.ts'
import { ConnectError } from '../../errors.ts'
import { identify, isAlive, type ProcessIdentity } from '../../process/identity.ts'
import { endsWithin, terminate, type Termination } from '../../process/terminate.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import type { Skipped, Step } from '../platform.ts'
import { removePidFile } from '../remove-pid-file.ts'
import type { Installation } from './installation.ts'
import { isLeaving } from './manager/control.ts'
import type { JobLookup, LoadedJob } from './manager/lookup.ts'

const NOT_THERE: Skipped = { skipped: 'launchd does not have it' }

/** One way to have launchd stop a job. */
interface Stopping {
  ask(): Promise<Skipped | void>
  wait(): Promise<Skipped | void>
  verify(): Promise<Skipped | void>
  /** The agent that is stopped: known after `ask`; undefined if no record or job names one. */
  readonly pid: number | undefined
  /** How its process went, known after the last step; undefined if there was nothing to stop. */
  readonly termination: Termination | undefined
}

/**
 * The steps of a stop.
 *
 * @param way how, or why not: asked by each step, since a step before these may have to look first
 */
export function stopSteps(
  { instance, timing }: Installation,
  way: () => Stopping | Skipped,
): readonly Step[] {
  const by = (part: 'ask' | 'wait' | 'verify') => async () => {
    const stopping = way()
    return 'skipped' in stopping ? stopping : stopping[part]()
  }
  const pidFile = removePidFile(instance, () => {
    const stopping = way()
    return 'skipped' in stopping ? { pid: undefined, termination: undefined } : stopping
  })
  return [
    { title: 'Ask launchd to stop', run: by('ask') },
    {
      title: `Wait for its result (clean, or killed after ${timing.exitMs / 1000} s)`,
      waitMs: timing.exitMs,
      run: by('wait'),
    },
    { title: 'Verify that it is gone', run: by('verify') },
    {
      ...pidFile,
      run: async () => {
        const stopping = way()
        return 'skipped' in stopping ? stopping : pidFile.run()
      },
    },
  ]
}

/** Unloads the job from launchd wherever it has it, which ends its process. */
export class Unload implements Stopping {
  readonly #it: Installation
  readonly #limitMs: number | undefined
  /** The agent, as its record names it. */
  pid: number | undefined
  termination: Termination | undefined
  readonly #processes = new Map<number, ProcessIdentity>()
  #wasLoaded = false
  #began = 0
  #askedAt = 0
  #tookMs = 0
  #isGone = false

  /** @param limitMs how long it may take; undefined if the clock runs already */
  constructor(installation: Installation, limitMs?: number) {
    this.#it = installation
    this.#limitMs = limitMs
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED */
  async ask(): Promise<Skipped | void> {
    if (this.#limitMs !== undefined) this.#it.launchctl.limit(this.#limitMs)
    const lookup = (await this.#it.control.look()).requireKnown()
    this.pid = readProcessRecord(this.#it.instance)?.pid
    this.#began = performance.now()
    if (lookup.isAbsent) return NOT_THERE
    this.#wasLoaded = true
    this.#note(lookup)
    await this.#bootout(lookup)
  }

  async wait(): Promise<Skipped | void> {
    if (!this.#wasLoaded) return NOT_THERE
    const { control, launchctl, timing } = this.#it
    const absent = async () => {
      const lookup = await control.look()
      this.#note(lookup)
      if (lookup.isAbsent) return true
      // launchd may not have heard the first one.
      if (performance.now() - this.#askedAt >= timing.exitMs / 2) await this.#bootout(lookup)
      return undefined
    }
    const timeoutMs = launchctl.left(timing.exitMs + timing.slackMs)
    this.#isGone = (await waitFor(absent, { timeoutMs, everyMs: timing.pollMs })) ?? false
    this.#tookMs = performance.now() - this.#began
  }

  /** @throws ConnectError SERVICE_MANAGER_FAILED, DAEMON_WONT_STOP */
  async verify(): Promise<Skipped | void> {
    if (!this.#wasLoaded) return NOT_THERE
    if (!this.#isGone) await this.#mustBeGone()
    const { exitMs } = this.#it.timing
    for (const one of this.#processes.values()) {
      // launchd has forgotten this process.
      if (isAlive(one)) await terminate(one, { group: true, graceMs: exitMs })
    }
    const isForced = this.#processes.size > 0 && this.#tookMs >= exitMs * 0.9
    this.termination = isForced && !this.#hasSaidItsEnd() ? 'killed' : 'exited'
  }

  /** Whether the agent has written down its own end: then nobody had to kill it. */
  #hasSaidItsEnd(): boolean {
    const { pid, end } = readProcessRecord(this.#it.instance) ?? {}
    return pid !== undefined && pid === this.pid && end !== undefined
  }

  async #bootout({ loaded }: JobLookup): Promise<void> {
    const { control } = this.#it
    for (const { domain, job } of loaded) if (!isLeaving(job)) await control.bootout(domain)
    this.#askedAt = performance.now()
  }

  #note({ loaded }: JobLookup): void {
    for (const { job } of loaded) {
      const isKnown = job.pid === undefined || this.#processes.has(job.pid)
      const identity = isKnown ? undefined : identify(job.pid)
      if (identity) this.#processes.set(identity.pid, identity)
    }
  }

  /**
   * At the end of the time: the job may have gone at the last moment, or be about to.
   *
   * @throws ConnectError DAEMON_WONT_STOP
   */
  async #mustBeGone(): Promise<void> {
    const { control, names } = this.#it
    const { loaded, isAbsent } = (await control.look()).requireKnown()
    if (isAbsent) return
    const pids = loaded.flatMap(({ job }) => job.pid ?? [])
    const isGoing = loaded.every(({ job }) => isLeaving(job))
    const runs = pids.length === 0 ? 'it is still loaded' : `it still runs (PID: ${pids.join(', ')})`
    const still = isGoing ? 'it is on its way out' : runs
    throw new ConnectError('DAEMON_WONT_STOP', `launchd did not unload ${names.label}: ${still}`, {
      hints: loaded.map(({ domain }) => `Look at it: launchctl print ${domain}/${names.label}`),
    })
  }
}

/** Unloads the job, all steps at once. @throws ConnectError SERVICE_MANAGER_FAILED, DAEMON_WONT_STOP */
export async function unload(installation: Installation): Promise<Unload> {
  const unloading = new Unload(installation)
  await unloading.ask()
  await unloading.wait()
  await unloading.verify()
  return unloading
}

/**
 * Has a job's process end, which launchd keeps: SIGTERM, since `kickstart -k` knows only SIGKILL. Whether
 * that was enough shows in `isGone`; if not, the start that follows has to be by `kickstart -k`.
 */
export class StopInPlace implements Stopping {
  readonly #it: Installation
  readonly #loaded: LoadedJob
  readonly #former: ProcessIdentity | undefined
  termination: Termination | undefined
  isGone = false

  constructor(installation: Installation, loaded: LoadedJob) {
    this.#it = installation
    this.#loaded = loaded
    this.#former = loaded.job.pid === undefined ? undefined : identify(loaded.job.pid)
  }

  get pid(): number | undefined {
    return this.#loaded.job.pid
  }

  async ask(): Promise<void> {
    await this.#it.control.signal(this.#loaded.domain, 'SIGTERM')
  }

  async wait(): Promise<void> {
    const { launchctl, timing } = this.#it
    this.isGone = !this.#former || (await endsWithin(this.#former, launchctl.left(timing.exitMs)))
    // If not, `kickstart -k` is about to kill it.
    this.termination = this.isGone ? 'exited' : 'killed'
  }

  async verify(): Promise<Skipped | void> {
    if (!this.isGone) return { skipped: 'launchd kills it when it starts the next' }
  }
}
