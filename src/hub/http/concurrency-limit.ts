import { Semaphore } from '../../runtime/semaphore.ts'
import { RefusedError } from '../auth/refused-error.ts'

export interface ConcurrencyOptions {
  /** How much work is under way at a time, default 8. */
  readonly atOnce: number
  /** How many more may wait for their turn, default 1,024. */
  readonly waiting: number
}

/** Few at a time: the event loop takes one connection a turn, so no turn may hold many checks. */
const DEFAULTS: ConcurrencyOptions = { atOnce: 8, waiting: 1024 }

/** A client that has waited this long may have given up; agents do so after 10 s. In ms. */
const PATIENCE_MS = 5000

const RETRY_AFTER_SECONDS = 5

/**
 * Bounds the work for requests that is under way, and sheds the rest: each costs a signature, and some a
 * write to the disk. When thousands come at once, as after a restart, most are soon told to come back later,
 * so that none is served too late.
 */
export class ConcurrencyLimit {
  readonly #semaphore: Semaphore
  readonly #maxWaiting: number

  constructor({ atOnce, waiting } = DEFAULTS) {
    this.#semaphore = new Semaphore(atOnce)
    this.#maxWaiting = waiting
  }

  /** @throws RefusedError 503 if too many wait, or this one has for too long; or what the work throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#semaphore.isFree && this.#semaphore.waiting >= this.#maxWaiting) throw busy()
    const since = performance.now()
    await this.#semaphore.acquire()
    try {
      if (performance.now() - since > PATIENCE_MS) throw busy()
      return await work()
    } finally {
      this.#semaphore.release()
    }
  }
}

function busy(): RefusedError {
  const message = 'Too many come at once; try again later.'
  return new RefusedError(503, 'too_many', message, { retryAfter: RETRY_AFTER_SECONDS })
}
