/** The keys of the streams that ended last. */
export class RecentKeys {
  readonly #keys = new Set<string>()
  readonly #atMost: number

  constructor(atMost: number) {
    this.#atMost = atMost
  }

  add(key: string): void {
    this.#keys.add(key)
    const [oldest] = this.#keys
    if (this.#keys.size > this.#atMost) this.#keys.delete(oldest!)
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }
}
