/** So much at once, and then so much in a second. */
export class TokenBucket {
  readonly #burst: number
  readonly #perSecond: number
  #left: number
  #countedAt = performance.now()

  constructor(burst: number, perSecond: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#left = burst
  }

  /** Takes a token. @returns 0 if there was one, else in how many ms there may be one */
  take(): number {
    const now = performance.now()
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#countedAt) / 1000) * this.#perSecond)
    this.#countedAt = now
    if (this.#left < 1) return ((1 - this.#left) / this.#perSecond) * 1000 + 1
    this.#left--
    return 0
  }
}
