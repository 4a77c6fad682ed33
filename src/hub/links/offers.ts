import { setTimeout as sleep } from 'node:timers/promises'
import { MAX_WAITING_LISTS } from '../../tunnel/protocol/limits.ts'
import type { TokenBucket } from './token-bucket.ts'

/**
 * The lists of services that one link sends, dealt with one at a time. Each is all that the agent offers, so
 * of the lists that wait the latest counts, and its answer is that to all of them. An agent that sends very
 * many is held back, and nobody else is.
 */
export class Offers<Answer> {
  readonly #allowance: TokenBucket
  readonly #take: (message: unknown) => Promise<Answer | undefined>
  readonly #answer: (seq: number, answer: Answer) => void
  #waiting: number[] = []
  #latest: unknown
  #isBusy = false
  #isStopped = false

  /**
   * @param allowance how many lists the agent may send over all of its links
   * @param take deals with a list; what it resolves to is the answer, if any
   */
  constructor(
    bucket: TokenBucket,
    take: (message: unknown) => Promise<Answer | undefined>,
    answer: (seq: number, answer: Answer) => void,
  ) {
    this.#allowance = bucket
    this.#take = take
    this.#answer = answer
  }

  /** @returns undefined if too many wait; else a promise that settles when none does */
  add(seq: number, message: unknown): Promise<void> | undefined {
    if (this.#waiting.length >= MAX_WAITING_LISTS) return undefined
    this.#waiting.push(seq)
    this.#latest = message
    return this.#isBusy ? Promise.resolve() : this.#run()
  }

  /** The link is gone: the lists that wait are void, since the agent sends another one on its next link. */
  stop(): void {
    this.#isStopped = true
  }

  async #run(): Promise<void> {
    this.#isBusy = true
    while (this.#waiting.length > 0 && !this.#isStopped) {
      const pauseMs = this.#allowance.take()
      if (pauseMs > 0) {
        await sleep(pauseMs, undefined, { ref: false })
        continue
      }
      const seqs = this.#waiting.splice(0)
      const answer = await this.#take(this.#latest)
      if (answer !== undefined) for (const seq of seqs) this.#answer(seq, answer)
    }
    this.#isBusy = false
  }
}
