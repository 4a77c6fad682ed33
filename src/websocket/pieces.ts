/** Two adjacent pieces that are both smaller become one. */
export const SMALL_PIECE_BYTES = 2048

/** A message as it comes in: views of what was read, which is copied only where it came in crumbs. */
export class Pieces {
  #pieces: Buffer[] = []
  #bytes = 0
  /** Where the last piece lies, if it was put together here. */
  #crumbs: Buffer | undefined

  get bytes(): number {
    return this.#bytes
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length
    const at = this.#pieces.length - 1
    const last = this.#pieces[at]
    if (!last || last.length >= SMALL_PIECE_BYTES || piece.length >= SMALL_PIECE_BYTES) {
      this.#pieces.push(piece)
      return
    }
    if (last.buffer !== this.#crumbs?.buffer) {
      // Not of the pool: whoever keeps the message would keep what lies beside it.
      this.#crumbs = Buffer.allocUnsafeSlow(2 * SMALL_PIECE_BYTES)
      last.copy(this.#crumbs)
    }
    piece.copy(this.#crumbs, last.length)
    this.#pieces[at] = this.#crumbs.subarray(0, last.length + piece.length)
  }

  /** @returns what was added, which is forgotten here */
  take(): Buffer[] {
    const pieces = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    this.#crumbs = undefined
    return pieces
  }
}
