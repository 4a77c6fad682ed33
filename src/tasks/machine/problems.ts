import type { ErrorCode } from '../../error-codes.ts'
import { ConnectError } from '../../errors.ts'
import { explainOperationalError } from '../../runtime/operational-error.ts'

/** What keeps something of this machine from being known. */
export interface Problem {
  readonly code: ErrorCode
  /** One sentence without a full stop. */
  readonly message: string
  /** What to do about it, a line each. */
  readonly hints: readonly string[]
}

/** Gathers what goes wrong where a report goes on without it. */
export class Problems {
  readonly #found: Problem[] = []

  /** @returns undefined if a user has to see to it: that is noted. @throws what is a bug */
  async look<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (thrown) {
      const error = explainOperationalError(thrown)
      if (!(error instanceof ConnectError)) throw error
      const { code, message, hints } = error
      // One folder that is another user's spoils each file in it, and is mended once.
      const isKnown = this.#found.some((one) => one.code === code && one.hints.join() === hints.join())
      if (!isKnown) this.#found.push({ code, message, hints })
      return undefined
    }
  }

  get found(): readonly Problem[] {
    return this.#found
  }
}
