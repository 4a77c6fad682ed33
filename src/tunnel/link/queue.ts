/** With fewer empty places than this there is nothing to gain from moving the items that are left. */
const MOVE_FROM = 512

/** A queue whose `shift` costs the same however long it is; an array's moves all that is left. */
export class Queue<T> {
  readonly #items: (T | undefined)[] = []
  /** Where the first item lies; the places before it are empty. */
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): T | undefined {
    return this.#items[this.#head]
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.length === 0) this.clear()
    else if (this.#head >= MOVE_FROM && this.#head >= this.length) {
      // What moves is no more than what has been taken since the last time.
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }

  clear(): void {
    this.#items.length = 0
    this.#head = 0
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at]!
  }
}
