import { OPEN_TIMEOUT_MS } from '../tunnel/limits.ts'

/**
 * Which agents without a link may be back any moment: those whose link was lost a moment ago, and, of a hub that has
 * just begun, all.
 */
export class Absences {
  /** Until when each is expected, in ms. */
  readonly #until = new Map<string, number>()
  readonly #atFirst = performance.now() + OPEN_TIMEOUT_MS

  /** Its link was lost: it will try again. */
  lost(agent: string): void {
    this.#until.set(agent, performance.now() + OPEN_TIMEOUT_MS)
  }

  /** It said goodbye. */
  left(agent: string): void {
    this.#until.set(agent, 0)
  }

  /** Whether it may be worth a wait, of one that has no link. */
  isExpected(agent: string): boolean {
    return performance.now() < (this.#until.get(agent) ?? this.#atFirst)
  }
}
