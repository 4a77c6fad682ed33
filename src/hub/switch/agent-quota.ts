import { Pace } from '../../tunnel/link/pace.ts'
import { MAX_GIVEN_UP } from '../../tunnel/protocol/limits.ts'

/** What all links of an agent cost together, and whether that is too much: more links are of no use. */
export class AgentQuota {
  readonly agent: string
  readonly pace = new Pace()
  /** What waits for all links of the agent, by the memory that it takes. */
  waitingBytes = 0
  #givenUp = 0
  #countedAt = performance.now()

  constructor(agent: string) {
    this.agent = agent
  }

  /** The agent has given up a stream that was not answered: someone has begun to dial for nothing. */
  gaveUp(now = performance.now()): void {
    this.#givenUp = this.#outstanding(now) + 1
    this.#countedAt = now
  }

  /** Whether the agent has given up too many streams of late to open another one now. */
  hasGivenUpTooMany(now = performance.now()): boolean {
    return this.#outstanding(now) >= MAX_GIVEN_UP
  }

  /** The streams that were given up, less what a second makes up for. */
  #outstanding(now: number): number {
    return Math.max(0, this.#givenUp - (MAX_GIVEN_UP * (now - this.#countedAt)) / 1000)
  }
}
