/** How many each has of something. Who has none any more is forgotten. */
export class Counts {
  readonly #counts = new Map<string, number>()

  of(who: string): number {
    return this.#counts.get(who) ?? 0
  }

  /** @returns how many there are now */
  add(who: string): number {
    const count = this.of(who) + 1
    this.#counts.set(who, count)
    return count
  }

  /** @returns how many are left */
  remove(who: string): number {
    const left = this.of(who) - 1
    if (left > 0) this.#counts.set(who, left)
    else this.#counts.delete(who)
    return left
  }
}
