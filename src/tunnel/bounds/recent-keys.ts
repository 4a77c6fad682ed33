/** The keys of the streams that ended last: so many at least, and no more than twice as many. */
export class RecentKeys {
  #latest = new Set<string>()
  #older = new Set<string>()
  readonly #atLeast: number

  constructor(atLeast: number) {
    this.#atLeast = atLeast
  }

  add(key: string): void {
    // All of the older ones go at once: to find the oldest of a set, V8 looks at all that were deleted.
    if (this.#latest.size >= this.#atLeast) [this.#older, this.#latest] = [this.#latest, new Set()]
    this.#latest.add(key)
  }

  has(key: string): boolean {
    return this.#latest.has(key) || this.#older.has(key)
  }
}
