import { performance } from 'node:perf_hooks'
import { Semaphore } from '../../runtime/semaphore.ts'
import { RefusedError } from '../auth/refused-error.ts'

export interface AdmissionLimits {
  /** How many are checked at a time. */
  readonly atOnce: number
  /** How many more may wait for that. */
  readonly waiting: number
}

/** Few at a time: Node.js takes one connection in a turn of the event loop, so a turn must not be one of many checks. */
const LIMITS: AdmissionLimits = { atOnce: 8, waiting: 1024 }

/** Whoever has waited this long may have given up; agents do so after 10 s. In ms. */
const PATIENCE_MS = 5000

const RETRY_AFTER_SECONDS = 5

/**
 * Bounds how many are checked at a time. Whoever knocks is checked: a signature, and for some a write to the disk. When thousands knock at
 * once, as after a restart, most are soon told to come back later, so that none is served too late.
 */
export class AdmissionControl {
  readonly #semaphore: Semaphore
  readonly #maxWaiting: number

  constructor({ atOnce, waiting } = LIMITS) {
    this.#semaphore = new Semaphore(atOnce)
    this.#maxWaiting = waiting
  }

  /** @throws RefusedError 503 if too many are waiting; or what the check throws */
  async check<T>(check: () => Promise<T>): Promise<T> {
    if (!this.#semaphore.isFree && this.#semaphore.waiting >= this.#maxWaiting) throw busy()
    const since = performance.now()
    await this.#semaphore.acquire()
    try {
      if (performance.now() - since > PATIENCE_MS) throw busy()
      return await check()
    } finally {
      this.#semaphore.release()
    }
  }
}

function busy(): RefusedError {
  const message = 'Too many come at once; try again later.'
  return new RefusedError(503, 'too_many', message, { retryAfter: RETRY_AFTER_SECONDS })
}
