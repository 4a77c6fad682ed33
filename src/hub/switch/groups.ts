/** What has a name in common, by that name. */
export class Groups<T> {
  readonly #byName = new Map<string, Set<T>>()

  /** Changes while it is gone through are seen, as with every set. */
  of(name: string): ReadonlySet<T> {
    return this.#byName.get(name) ?? new Set()
  }

  /** @returns how many the group has now */
  add(name: string, one: T): number {
    const group = this.#byName.get(name) ?? new Set()
    this.#byName.set(name, group)
    return group.add(one).size
  }

  delete(name: string, one: T): void {
    const group = this.#byName.get(name)
    group?.delete(one)
    if (group?.size === 0) this.#byName.delete(name)
  }
}
