import { TYPE } from '../protocol/frames.ts'
import { FRAME_OVERHEAD_BYTES } from '../protocol/limits.ts'

/** Types of frames that the end of their stream makes of no use. */
const UNDONE = [TYPE.OPEN, TYPE.WINDOW, TYPE.RESUME]

/**
 * Control frames that wait for one link, in order. Of each type a stream has one at most, the latest, and of
 * a stream that is reset meanwhile only the reset is left: so a peer that doesn't read never has more to read
 * than a few frames for each of its streams, whatever others do to them.
 */
export class ControlQueue {
  readonly #frames = new Map<number, Buffer>()
  /** The keys of the frames, from the first that waits on. */
  #next = this.#frames.keys()
  #count = 0
  #cost = 0

  /** Bytes of all that wait, and what it costs to have them wait. */
  get cost(): number {
    return this.#cost
  }

  get length(): number {
    return this.#frames.size
  }

  /** Whether a frame of this type and stream waits. */
  has(type: number, stream: number): boolean {
    return this.#frames.has(keyOf(type, stream))
  }

  /** Adds a frame. One of the same type and stream that waits is replaced, and keeps its place. */
  push(frame: Buffer): void {
    const [type, stream] = [frame[0]!, frame.readUInt32BE(2)]
    const isLast = type === TYPE.RST || type === TYPE.OPEN_ERR
    // The first reason is the reason.
    if (isLast && (this.has(TYPE.RST, stream) || this.has(TYPE.OPEN_ERR, stream))) return
    // A stream that the peer has not heard of needs no end.
    if (isLast && this.#drop(stream)) return
    // A position says all that an older WINDOW would, and a newer one must not come before it.
    if (type === TYPE.RESUME || type === TYPE.RESUMED) this.#remove(keyOf(TYPE.WINDOW, stream))
    // A CTRL says what no other does, and a RESUMED answers one RESUME.
    const isOneOfMany = type === TYPE.CTRL || type === TYPE.RESUMED
    const key = isOneOfMany ? -++this.#count : keyOf(type, stream)
    this.#remove(key, true)
    this.#frames.set(key, frame)
    this.#cost += frame.length + FRAME_OVERHEAD_BYTES
  }

  shift(): Buffer | undefined {
    if (this.#frames.size === 0) return undefined
    let { value: key } = this.#next.next()
    if (key === undefined) {
      this.#next = this.#frames.keys()
      key = this.#next.next().value!
    }
    const frame = this.#frames.get(key)!
    this.#remove(key)
    return frame
  }

  clear(): void {
    this.#frames.clear()
    this.#cost = 0
  }

  /** @returns whether the peer has yet to hear of the stream */
  #drop(stream: number): boolean {
    const isNew = this.has(TYPE.OPEN, stream)
    for (const type of UNDONE) this.#remove(keyOf(type, stream))
    return isNew
  }

  /** @param keepsPlace another frame takes its place */
  #remove(key: number, keepsPlace = false): void {
    const frame = this.#frames.get(key)
    if (!frame) return
    this.#cost -= frame.length + FRAME_OVERHEAD_BYTES
    if (!keepsPlace) this.#frames.delete(key)
  }
}

function keyOf(type: number, stream: number): number {
  return stream * 16 + type
}
