import { performance } from 'node:perf_hooks'
import { RefusedError } from './auth.ts'

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
 * The hub's door. Whoever knocks is checked: a signature, and for some a write to the disk. When thousands knock at
 * once, as after a restart, most are soon told to come back later, so that none is served too late.
 */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #waiting: (() => void)[] = []
  #busy = 0

  constructor(limits = LIMITS) {
    this.#limits = limits
  }

  /** @throws RefusedError 503 if too many are waiting; or what the check throws */
  async check<T>(check: () => Promise<T>): Promise<T> {
    const waitedMs = await this.#turn()
    try {
      if (waitedMs > PATIENCE_MS) throw busy()
      return await check()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#busy--
    }
  }

  /** @returns how long it took to come, in ms */
  async #turn(): Promise<number> {
    const { atOnce, waiting } = this.#limits
    if (this.#busy < atOnce) {
      this.#busy++
      return 0
    }
    if (this.#waiting.length >= waiting) throw busy()
    const since = performance.now()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    await promise
    return performance.now() - since
  }
}

function busy(): RefusedError {
  const message = 'Too many come at once; try again later.'
  return new RefusedError(503, 'too_many', message, RETRY_AFTER_SECONDS)
}
