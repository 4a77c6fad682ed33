import { OPEN_TIMEOUT_MS } from '../../tunnel/protocol/limits.ts'

/**
 * Which agents without a link may be back any moment: those whose link was lost a moment ago, and, while a
 * hub has just started, all.
 */
export class ReconnectGrace {
  /** Until when each agent is expected, in ms. */
  readonly #until = new Map<string, number>()
  readonly #atFirst = performance.now() + OPEN_TIMEOUT_MS

  /** The agent's link was lost: it will try again. */
  lost(agent: string): void {
    this.#forgetPast()
    this.#until.delete(agent)
    this.#until.set(agent, performance.now() + OPEN_TIMEOUT_MS)
  }

  /** The agent said goodbye. */
  left(agent: string): void {
    if (performance.now() < this.#atFirst) this.#until.set(agent, 0)
    else this.#until.delete(agent)
  }

  /** How many agents are remembered. */
  get size(): number {
    return this.#until.size
  }

  /** An entry whose time is over says the same as none; the oldest come first. */
  #forgetPast(): void {
    const now = performance.now()
    if (now < this.#atFirst) return
    for (const [agent, until] of this.#until) {
      if (until > now) return
      this.#until.delete(agent)
    }
  }

  /** Whether an agent that has no link may be worth a wait. */
  isExpected(agent: string): boolean {
    return performance.now() < (this.#until.get(agent) ?? this.#atFirst)
  }
}
