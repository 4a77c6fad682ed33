import { MAX_GIVEN_UP } from '../tunnel/limits.ts'
import { Pace } from '../tunnel/pace.ts'
import type { SwitchPort } from './switch-port.ts'

/** What the links of one agent cost the hub and others, together: their number must be of no use. */
export class Account {
  readonly agent: string
  readonly ports = new Set<SwitchPort>()
  readonly pace = new Pace()
  /** What waits for all its links costs so many bytes. */
  waiting = 0
  /** Since its last link is gone. */
  forgetting: NodeJS.Timeout | undefined
  #givenUp = 0
  #countedAt = performance.now()

  constructor(agent: string) {
    this.agent = agent
  }

  /** The link for which most waits. */
  get largestPort(): SwitchPort | undefined {
    let largest: SwitchPort | undefined
    for (const port of this.ports) if (port.link.backlog > (largest?.link.backlog ?? 0)) largest = port
    return largest
  }

  /** It has given up a stream that was not answered: someone has begun to dial for nothing. */
  gaveUp(now = performance.now()): void {
    this.#givenUp = this.#outstanding(now) + 1
    this.#countedAt = now
  }

  /** Whether it has done so too often of late to open another one now. */
  givesUpTooMuch(now = performance.now()): boolean {
    return this.#outstanding(now) >= MAX_GIVEN_UP
  }

  /** Those that were given up, less what a second makes up for. */
  #outstanding(now: number): number {
    return Math.max(0, this.#givenUp - (MAX_GIVEN_UP * (now - this.#countedAt)) / 1000)
  }
}
