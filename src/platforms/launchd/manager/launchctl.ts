import { GRACE_PERIOD_MS } from '../../../process/grace-period.ts'
import { run, type RunResult } from '../../../process/run.ts'

/** How long things may take, in ms. */
export interface Timing {
  /** The longest that an answer may take. */
  readonly askMs: number
  /** The longest that an action may take: `kickstart` may block for ever. */
  readonly actMs: number
  /** ExitTimeOut of the plist, after which launchd sends SIGKILL. */
  readonly exitMs: number
  /** How long launchd may take beyond what it has to wait for itself. */
  readonly slackMs: number
  /** The longest that all calls of a command may take together. */
  readonly totalMs: number
  /** The longest that putting back what ran before may take, after a failure. */
  readonly rollbackMs: number
  /** Pause between two looks. */
  readonly pollMs: number
}

/** No command takes longer than a minute. */
export const TIMING: Timing = {
  askMs: 5000,
  actMs: 10_000,
  exitMs: GRACE_PERIOD_MS,
  slackMs: 10_000,
  totalMs: 20_000,
  rollbackMs: 10_000,
  pollMs: 100,
}

/** launchctl(1), each call with a deadline, and all of them together too. */
export class Launchctl {
  readonly #env: NodeJS.ProcessEnv
  readonly #timing: Timing
  #deadline = Number.POSITIVE_INFINITY

  constructor(env: NodeJS.ProcessEnv, timing: Timing) {
    this.#env = { ...env, LC_ALL: 'C' }
    this.#timing = timing
  }

  /** From now on all calls together may take this long, in ms. */
  limit(totalMs: number): void {
    this.#deadline = performance.now() + totalMs
  }

  /** How much of the wanted time is left before the deadline, in ms. */
  left(wantedMs: number): number {
    return Math.max(1, Math.min(wantedMs, this.#deadline - performance.now()))
  }

  /** Asks launchd for what it knows. */
  ask(...args: string[]): Promise<RunResult> {
    const { askMs } = this.#timing
    // A look is what settles a matter whose time is over: so a look gets some time in any case.
    return this.#run(args, Math.max(this.left(askMs), askMs / 5))
  }

  /** Has launchd do something. A time-out is no failure, but a question that only a look can answer. */
  act(...args: string[]): Promise<RunResult> {
    return this.#run(args, this.left(this.#timing.actMs))
  }

  #run(args: readonly string[], timeoutMs: number): Promise<RunResult> {
    return run(['launchctl', ...args], { env: this.#env, timeoutMs })
  }
}
