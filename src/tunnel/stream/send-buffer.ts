import { giveBack } from '../../memory/pieces.ts'
import type { Message } from '../protocol/message.ts'

/** Chunks below this are copied together: a window of single bytes would cost a hundred times its size. */
const SMALL = 2048

/** Bytes of the memory that small chunks are copied into. */
const SLAB_BYTES = 8192

interface Chunk {
  memory: Buffer
  /** How many bytes of it are filled. */
  length: number
}

/** The bytes of one direction that the far end doesn't have for good, sent or not, by their offsets. */
export class SendBuffer {
  #chunks: Chunk[] = []
  /** Offset of the first byte that is kept. */
  #start = 0
  /** Offset behind the last one. */
  #end = 0
  /** Where reading was: a chunk, and the offset that it begins at. */
  #cursor = { index: 0, offset: 0 }

  get end(): number {
    return this.#end
  }

  push(bytes: Buffer): void {
    const { length } = bytes
    if (length === 0) return
    this.#end += length
    const last = this.#chunks.at(-1)
    if (length < SMALL && last && hasRoom(last, length)) {
      bytes.copy(last.memory, last.length)
      last.length += length
    } else this.#chunks.push({ memory: bytes, length })
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
        const bytes = Math.min(chunk.length - begin, end - at)
        const isAll = bytes === chunk.memory.length
        chunks.push(isAll ? chunk.memory : chunk.memory.subarray(begin, begin + bytes))
        at += bytes
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
      if (this.#start <= written) giveBack(chunk.memory)
    }
    if (count === 0) return
    this.#chunks.splice(0, count)
    this.#cursor =
      this.#cursor.index >= count
        ? { index: this.#cursor.index - count, offset: this.#cursor.offset }
        : { index: 0, offset: this.#start }
  }

  clear(): void {
    this.#chunks = []
    this.#start = this.#end
    this.#cursor = { index: 0, offset: this.#end }
  }
}

/** Makes room behind a small chunk: the first one of a stream is often the only one, and stays as it is. */
function hasRoom(chunk: Chunk, bytes: number): boolean {
  if (chunk.length < SMALL && chunk.memory.length < SLAB_BYTES) {
    const slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    chunk.memory.copy(slab, 0, 0, chunk.length)
    chunk.memory = slab
  }
  return chunk.length + bytes <= chunk.memory.length
}
