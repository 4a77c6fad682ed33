import { run, type RunResult } from '../../process/run.ts'
import type { Timing } from './timing.ts'

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

  /** How much is left of what was wanted, in ms. */
  left(wantedMs: number): number {
    return Math.max(1, Math.min(wantedMs, this.#deadline - performance.now()))
  }

  /** For what it knows. */
  ask(...args: string[]): Promise<RunResult> {
    const { askMs } = this.#timing
    // A look is what settles a matter whose time is over: it gets some in any case.
    return this.#run(args, Math.max(this.left(askMs), askMs / 5))
  }

  /** Has it do something. A time-out is no failure, but a question that only a look can answer. */
  act(...args: string[]): Promise<RunResult> {
    return this.#run(args, this.left(this.#timing.actMs))
  }

  #run(args: readonly string[], timeoutMs: number): Promise<RunResult> {
    return run(['launchctl', ...args], { env: this.#env, timeoutMs })
  }
}
