import { FRAME_OVERHEAD_BYTES } from '../protocol/limits.ts'
import type { Message } from '../protocol/message.ts'
import { ControlQueue } from './control-queue.ts'
import { Queue } from './queue.ts'

/** What waits of one stream. */
class StreamQueue {
  readonly stream: number
  readonly frames = new Queue<Message>()
  cost = 0

  constructor(stream: number) {
    this.stream = stream
  }
}

/** What waits to be sent on one link: control frames first, then the streams in turns, a frame each. */
export class Outbox {
  readonly #control = new ControlQueue()
  readonly #streams = new Map<number, StreamQueue>()
  /** Streams with something to send, in the order of their turns. */
  readonly #turns: StreamQueue[] = []
  /** The queue that was emptied last, which stays: most frames are alone, and V8 builds emptied maps anew. */
  #idle: StreamQueue | undefined
  #dataCost = 0

  /** Bytes of the control frames that wait, and what it costs to have them wait. */
  get controlCost(): number {
    return this.#control.cost
  }

  /** The same of the streams' frames: their DATA and FIN. */
  get dataCost(): number {
    return this.#dataCost
  }

  /** The same of all frames that wait. */
  get cost(): number {
    return this.#control.cost + this.#dataCost
  }

  /** The stream that costs most, of those that wait with data. */
  get largestStream(): number | undefined {
    let largest: number | undefined
    let most = 0
    for (const [stream, { cost }] of this.#streams) if (cost > most) [largest, most] = [stream, cost]
    return largest
  }

  /** Adds a control frame. What the peer needn't hear any more goes, such as its stream's older WINDOW. */
  pushControl(frame: Buffer): void {
    this.#control.push(frame)
  }

  /** Whether a control frame of this type and stream waits. */
  hasControl(type: number, stream: number): boolean {
    return this.#control.has(type, stream)
  }

  /** Frames of one stream keep their order. */
  pushData(stream: number, frame: Message): void {
    let queue = this.#streams.get(stream)
    if (!queue) {
      queue = new StreamQueue(stream)
      this.#streams.set(stream, queue)
    }
    if (queue.frames.length === 0) this.#turns.push(queue)
    queue.frames.push(frame)
    this.#charge(queue, costOf(frame))
  }

  /** Forgets the data that a stream still had to send: it has been reset. */
  drop(stream: number): void {
    const queue = this.#streams.get(stream)
    if (!queue) return
    this.#dataCost -= queue.cost
    this.#streams.delete(stream)
    if (this.#idle === queue) this.#idle = undefined
    if (queue.frames.length > 0) this.#turns.splice(this.#turns.indexOf(queue), 1)
  }

  /** @returns the next control frame, ahead of all data, or undefined if there is none */
  shiftControl(): Message | undefined {
    const frame = this.#control.shift()
    return frame && { chunks: [frame], bytes: frame.length }
  }

  /** @returns the next frame, and whose turn it was (0 for control), or undefined if there is none */
  shift(): { stream: number; frame: Message } | undefined {
    const control = this.shiftControl()
    if (control) return { stream: 0, frame: control }
    const queue = this.#turns.shift()
    if (!queue) return undefined
    const frame = queue.frames.shift()!
    this.#charge(queue, -costOf(frame))
    if (queue.frames.length > 0) this.#turns.push(queue)
    else this.#keepIdle(queue)
    return { stream: queue.stream, frame }
  }

  clear(): void {
    this.#control.clear()
    this.#streams.clear()
    this.#turns.length = 0
    this.#idle = undefined
    this.#dataCost = 0
  }

  #keepIdle(queue: StreamQueue): void {
    const before = this.#idle
    this.#idle = queue
    if (before && before !== queue && before.frames.length === 0) this.#streams.delete(before.stream)
  }

  #charge(queue: StreamQueue, cost: number): void {
    queue.cost += cost
    this.#dataCost += cost
  }
}

function costOf(frame: Message): number {
  return frame.bytes + FRAME_OVERHEAD_BYTES
}
