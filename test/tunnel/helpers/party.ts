import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import type { StreamHandler } from '../../../src/tunnel/stream/stream-handler.ts'
import type { Stream } from '../../../src/tunnel/stream/stream.ts'

/** What one end of a stream does, counted in turns of the event loop. */
export interface PartyPlan {
  /** Sizes of what it writes, and how long it waits before each. */
  readonly writes: readonly { readonly bytes: number; readonly wait: number }[]
  /** How long it waits before it ends its direction. */
  readonly endWait: number
  /** How often it reads, and which part of what is there. */
  readonly readWait: number
  readonly readPart: number
  /** When it resets the stream: after some time, or in the middle of taking in bytes. */
  readonly reset?: { readonly after: 'turns' | 'bytes'; readonly count: number } | undefined
}

/** Every party writes a part of this, so that a byte out of place is seen. */
const TEXT = randomBytes(2 ** 21)

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

/** One end of a stream that does as planned, and notes what it hears. */
export class Party implements StreamHandler {
  readonly received: Buffer[] = []
  ended = false
  isDone = false
  didReset = false
  heardReset: number | undefined
  readonly plan: PartyPlan
  /** All that it means to write. */
  readonly text: Buffer
  readonly #stream: Stream
  readonly #over = new AbortController()
  readonly #drained = new EventTarget()
  #unread = 0
  #bytes = 0

  constructor(stream: Stream, plan: PartyPlan, offset: number) {
    this.#stream = stream
    this.plan = plan
    const length = plan.writes.reduce((sum, { bytes }) => sum + bytes, 0)
    this.text = TEXT.subarray(offset, offset + length)
    stream.attach(this)
    this.#mayReset('bytes')
  }

  get isOver(): boolean {
    return this.#over.signal.aborted
  }

  data(chunk: Buffer): void {
    this.received.push(chunk)
    this.#unread += chunk.length
    this.#bytes += chunk.length
    this.#mayReset('bytes')
  }

  end(): void {
    this.ended = true
  }

  drain(): void {
    this.#drained.dispatchEvent(new Event('drain'))
  }

  reset(code: number): void {
    this.heardReset = code
    this.#over.abort()
  }

  done(): void {
    this.isDone = true
    this.#over.abort()
  }

  /** Does all that is planned. @returns once the stream is over, whichever way */
  async run(): Promise<void> {
    await Promise.all([this.#write(), this.#read(), this.#resetInTime(), this.#isOver()])
  }

  async #write(): Promise<void> {
    let at = 0
    for (const { bytes, wait } of this.plan.writes) {
      await turns(wait)
      if (this.#over.signal.aborted) return
      const drained = once(this.#drained, 'drain', { signal: this.#over.signal }).catch(() => {})
      if (!this.#stream.write(this.text.subarray(at, at + bytes))) await drained
      at += bytes
    }
    await turns(this.plan.endWait)
    this.#stream.end()
  }

  async #read(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await turns(1 + this.plan.readWait)
      const bytes = Math.ceil(this.#unread / this.plan.readPart)
      this.#unread -= bytes
      this.#stream.consumed(bytes)
    }
  }

  async #resetInTime(): Promise<void> {
    const { reset } = this.plan
    if (reset?.after !== 'turns') return
    await turns(reset.count)
    this.#resetStream()
  }

  #mayReset(after: 'bytes'): void {
    const { reset } = this.plan
    if (reset?.after === after && this.#bytes >= reset.count) this.#resetStream()
  }

  #resetStream(): void {
    if (this.#stream.isClosed) return
    this.didReset = true
    this.#stream.reset(STREAM_CODES.PEER_RESET, 'as planned')
    this.#over.abort()
  }

  async #isOver(): Promise<void> {
    const { signal } = this.#over
    if (!signal.aborted) await once(signal, 'abort')
  }
}
