/** Bytes that many share. */
export class Budget {
  readonly #total: number
  #used = 0

  constructor(total: number) {
    this.#total = total
  }

  get used(): number {
    return this.#used
  }

  get isSpent(): boolean {
    return this.#used >= this.#total
  }

  /** @returns false if that much is not left; then nothing is taken */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#total) return false
    this.#used += bytes
    return true
  }

  /** Takes the bytes, whatever is left: they are held already. */
  charge(bytes: number): void {
    this.#used += bytes
  }

  release(bytes: number): void {
    this.#used -= bytes
  }
}
