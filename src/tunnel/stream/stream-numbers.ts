/** Stream numbers of one link: odd ones for the side that dialled, even ones for the hub, 0 for the link. */
export class StreamNumbers {
  readonly #parity: number
  #last: number

  /** @param given how many numbers this side has given out before */
  constructor(side: 'agent' | 'hub', given = 0) {
    this.#parity = side === 'agent' ? 1 : 0
    this.#last = this.#parity + 2 * (given - 1)
  }

  /** The next free number of ours; after 2^32 they begin again. */
  next(isTaken: (number: number) => boolean): number {
    do {
      this.#last += 2
      if (this.#last >= 2 ** 32) this.#last = this.#parity
    } while (this.#last === 0 || isTaken(this.#last))
    return this.#last
  }

  /** Whether the far end may open a stream of this number. */
  isPeers(number: number): boolean {
    return number % 2 !== this.#parity
  }
}
