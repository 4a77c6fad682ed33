import { identify, type ProcessIdentity } from '../../process/identity.ts'
import { endsWithin, type Termination } from '../../process/terminate.ts'
import type { Skipped } from '../platform.ts'
import type { Installation } from './installation.ts'
import type { PlacedJob } from './job-lookup.ts'
import type { Stopping } from './stop-steps.ts'

/**
 * Has a job's process end, which launchd keeps: SIGTERM, since `kickstart -k` knows only SIGKILL. Whether that was
 * enough shows in `isClosed`; if not, the start that follows has to be by `kickstart -k`.
 */
export class StopInPlace implements Stopping {
  readonly #it: Installation
  readonly #placed: PlacedJob
  readonly #former: ProcessIdentity | undefined
  termination: Termination | undefined
  isGone = false

  constructor(installation: Installation, placed: PlacedJob) {
    this.#it = installation
    this.#placed = placed
    this.#former = placed.job.pid === undefined ? undefined : identify(placed.job.pid)
  }

  get pid(): number | undefined {
    return this.#placed.job.pid
  }

  async ask(): Promise<void> {
    await this.#it.control.signal(this.#placed.domain, 'SIGTERM')
  }

  async wait(): Promise<void> {
    const { launchctl, timing } = this.#it
    this.isGone = !this.#former || (await endsWithin(this.#former, launchctl.left(timing.exitMs)))
    this.termination = this.isGone ? 'exited' : 'killed'
  }

  async verify(): Promise<Skipped | void> {
    if (!this.isGone) return { skipped: 'launchd kills it when it starts the next' }
  }
}
