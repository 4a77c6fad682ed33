import { giveBack } from '../../memory/pieces.ts'
import type { Message } from '../protocol/message.ts'

/** Chunks below this are copied together: a window of single bytes would cost a hundred times its size. */
const SMALL = 2048

/** Bytes of the memory that small chunks are copied into. */
const SLAB_BYTES = 8192

/** The bytes of one direction that the far end doesn't have for good, sent or not, by their offsets. */
export class SendBuffer {
  #chunks: Buffer[] = []
  /** Offset of the first byte that is kept. */
  #start = 0
  /** Offset behind the last one. */
  #end = 0
  /** Where reading was: a chunk, and the offset that it begins at. */
  #cursor = { index: 0, offset: 0 }
  /** The last chunk, if small ones are added to it. */
  #slab: { readonly memory: Buffer; used: number } | undefined

  get end(): number {
    return this.#end
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#end += chunk.length
    if (chunk.length >= SMALL) {
      this.#slab = undefined
      this.#chunks.push(chunk)
      return
    }
    if (!this.#slab || this.#slab.used + chunk.length > SLAB_BYTES) {
      this.#slab = { memory: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0 }
      this.#chunks.push(this.#slab.memory)
    }
    chunk.copy(this.#slab.memory, this.#slab.used)
    this.#slab.used += chunk.length
    this.#chunks[this.#chunks.length - 1] = this.#slab.memory.subarray(0, this.#slab.used)
  }

  /**
   * Bytes from an offset on, where they lie.
   *
   * @returns undefined if there are none
   */
  read(from: number, atMost: number): Message | undefined {
    const end = Math.min(from + atMost, this.#end)
    if (from >= end) return undefined
    if (from < this.#cursor.offset) this.#cursor = { index: 0, offset: this.#start }
    const chunks: Buffer[] = []
    for (let at = from; at < end;) {
      const chunk = this.#chunks[this.#cursor.index]!
      const begin = at - this.#cursor.offset
      if (begin < chunk.length) {
        const part = chunk.subarray(begin, begin + end - at)
        chunks.push(part)
        at += part.length
      } else {
        this.#cursor.offset += chunk.length
        this.#cursor.index++
      }
    }
    return { chunks, bytes: end - from }
  }

  /**
   * Forgets what lies before an offset, as far as it fills whole chunks.
   *
   * @param written offset up to which nobody looks at the bytes any more
   */
  release(upTo: number, written: number): void {
    let count = 0
    for (let chunk; (chunk = this.#chunks[count]) && this.#start + chunk.length <= upTo; count++) {
      this.#start += chunk.length
      if (this.#start <= written) giveBack(chunk)
    }
    if (count === 0) return
    this.#chunks.splice(0, count)
    if (this.#chunks.length === 0) this.#slab = undefined
    this.#cursor =
      this.#cursor.index >= count
        ? { index: this.#cursor.index - count, offset: this.#cursor.offset }
        : { index: 0, offset: this.#start }
  }

  clear(): void {
    this.#chunks = []
    this.#start = this.#end
    this.#slab = undefined
    this.#cursor = { index: 0, offset: this.#end }
  }
}
