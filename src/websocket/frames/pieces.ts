/** Below this size two adjacent pieces become one. */
export const SMALL_CHUNK_BYTES = 2048

/** A message as it comes in: views of what was read, which is copied only where it came in crumbs. */
export class Chunks {
  #chunks: Buffer[] = []
  #bytes = 0
  /** Where the last piece lies, if it was put together here. */
  #coalesced: Buffer | undefined

  get bytes(): number {
    return this.#bytes
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length
    const at = this.#chunks.length - 1
    const last = this.#chunks[at]
    if (!last || last.length >= SMALL_CHUNK_BYTES || piece.length >= SMALL_CHUNK_BYTES) {
      this.#chunks.push(piece)
      return
    }
    if (last.buffer !== this.#coalesced?.buffer) {
      // Not of the pool: whoever keeps the message would keep what lies beside it.
      this.#coalesced = Buffer.allocUnsafeSlow(2 * SMALL_CHUNK_BYTES)
      last.copy(this.#coalesced)
    }
    piece.copy(this.#coalesced, last.length)
    this.#chunks[at] = this.#coalesced.subarray(0, last.length + piece.length)
  }

  /** @returns what was added, which is forgotten here */
  take(): Buffer[] {
    const pieces = this.#chunks
    this.#chunks = []
    this.#bytes = 0
    this.#coalesced = undefined
    return pieces
  }
}
