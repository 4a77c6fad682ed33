import { append, keep } from '../../memory/pieces.ts'

/** Below this size two adjacent chunks become one. */
export const SMALL_CHUNK_BYTES = 2048

/** The chunks of a message that is coming in: views of what was read, or copies. */
export class Chunks {
  #chunks: Buffer[] = []
  #bytes = 0
  /** Where the last chunk lies, if it was put together here. */
  #coalesced: Buffer | undefined

  get bytes(): number {
    return this.#bytes
  }

  /** @param isShared the memory will be overwritten, so that the chunk is copied */
  add(chunk: Buffer, isShared: boolean): void {
    this.#bytes += chunk.length
    const at = this.#chunks.length - 1
    const last = this.#chunks[at]
    const both = isShared && last && append(last, chunk)
    if (both) {
      this.#chunks[at] = both
      return
    }
    if (!last || last.length >= SMALL_CHUNK_BYTES || chunk.length >= SMALL_CHUNK_BYTES) {
      this.#chunks.push(isShared ? keep(chunk) : chunk)
      return
    }
    if (last.buffer !== this.#coalesced?.buffer) {
      // Not of the pool: whoever keeps the message would keep what lies beside it.
      this.#coalesced = Buffer.allocUnsafeSlow(2 * SMALL_CHUNK_BYTES)
      last.copy(this.#coalesced)
    }
    chunk.copy(this.#coalesced, last.length)
    this.#chunks[at] = this.#coalesced.subarray(0, last.length + chunk.length)
  }

  /** @returns what was added, which is forgotten here */
  take(): Buffer[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.#bytes = 0
    this.#coalesced = undefined
    return chunks
  }
}
