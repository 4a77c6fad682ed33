import { FRAME_OVERHEAD_BYTES } from './limits.ts'
import type { Message } from './message.ts'
import { Queue } from './queue.ts'

/** What waits to be sent on one link: control frames first, then the streams in turns, a frame each. */
export class Outbox {
  readonly #control = new Queue<Message>()
  readonly #streams = new Map<number, Queue<Message>>()
  /** Streams with something to send, in the order of their turns. */
  readonly #turns: number[] = []
  #controlBytes = 0
  #dataBytes = 0

  get controlBytes(): number {
    return this.#controlBytes
  }

  /** Bytes of the streams' frames that wait, and what it costs to have them wait. */
  get dataBytes(): number {
    return this.#dataBytes
  }

  pushControl(frame: Buffer): void {
    this.#control.push({ pieces: [frame], bytes: frame.length })
    this.#controlBytes += frame.length
  }

  /** Frames of one stream keep their order. */
  pushData(stream: number, frame: Message): void {
    let queue = this.#streams.get(stream)
    if (!queue) {
      queue = new Queue()
      this.#streams.set(stream, queue)
      this.#turns.push(stream)
    }
    queue.push(frame)
    this.#dataBytes += costOf(frame)
  }

  /** Forgets what a stream still had to send: it has been reset. */
  drop(stream: number): void {
    for (const frame of this.#streams.get(stream) ?? []) this.#dataBytes -= costOf(frame)
    if (this.#streams.delete(stream)) this.#turns.splice(this.#turns.indexOf(stream), 1)
  }

  /** @returns the next frame, and whose turn it was (0 for control), or undefined if there is none */
  shift(): { stream: number; frame: Message } | undefined {
    const control = this.#control.shift()
    if (control) {
      this.#controlBytes -= control.bytes
      return { stream: 0, frame: control }
    }
    const stream = this.#turns.shift()
    if (stream === undefined) return undefined
    const queue = this.#streams.get(stream)!
    const frame = queue.shift()!
    if (queue.length > 0) this.#turns.push(stream)
    else this.#streams.delete(stream)
    this.#dataBytes -= costOf(frame)
    return { stream, frame }
  }

  /** Whether a control frame waits: those go out whatever the socket's backlog is. */
  get urgent(): boolean {
    return this.#control.length > 0
  }

  clear(): void {
    this.#control.clear()
    this.#streams.clear()
    this.#turns.length = 0
    this.#controlBytes = 0
    this.#dataBytes = 0
  }
}

function costOf(frame: Message): number {
  return frame.bytes + FRAME_OVERHEAD_BYTES
}
