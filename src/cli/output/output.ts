import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import type { Sink } from './sink.ts'

/** Bytes that may wait for a reader. */
const QUEUE_BYTES = 64 * 1024

/**
 * How soon a write is tried again, in ms; after each try in vain the pause is twice as long, up
 * to the second.
 */
const RETRY_MS = 20
const RETRY_MAX_MS = 500

interface Waiting {
  bytes: Buffer
  /** How many lines are missing if these bytes are dropped. */
  readonly lines: number
}

/**
 * Where a data command says what it does. Nothing that happens to the output holds the command up or ends it:
 * what nobody reads, and what can't be written, costs lines, and how many is said there as soon as it can be.
 */
export class Output {
  readonly #sink: Sink
  readonly #maxBytes: number
  readonly #queue: Waiting[] = []
  #queuedBytes = 0
  /** Part of the first entry of the queue is written. */
  #isBegun = false
  /** Lines that are missing after those that wait, and why. */
  #missing = 0
  #why = ''
  /** The last line that was written broke off. */
  #isTorn = false
  #timer: NodeJS.Timeout | undefined
  #retryMs = RETRY_MS

  /** @param options.queueBytes default 64 KiB */
  constructor(sink: Sink, options: { queueBytes?: number } = {}) {
    this.#sink = sink
    this.#maxBytes = options.queueBytes ?? QUEUE_BYTES
  }

  /** Whether a thread hangs in a write, and would hold up the end of the process. */
  get isStuck(): boolean {
    return this.#sink.isStuck
  }

  /** @param text a line without its newline, or several */
  write(text: string): void {
    this.#drain()
    const bytes = Buffer.from(`${text}\n`)
    // Once lines are missing, none is taken before the notice that says how many.
    if (this.#missing > 0 || this.#queuedBytes + bytes.length > this.#maxBytes)
      this.#miss(1, 'nobody was reading')
    else this.#push({ bytes, lines: 1 })
    this.#drain()
  }

  /**
   * Waits until all is written, no longer than this.
   *
   * @returns whether all is written
   */
  async flush(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs
    for (;;) {
      this.#drain()
      const isOut = this.#queue.length === 0 && this.#sink.pending === 0
      if (isOut || performance.now() >= until) return isOut
      await sleep(RETRY_MS)
    }
  }

  #drain(): void {
    for (let next = this.#next(); next; next = this.#next()) {
      let taken: number
      try {
        taken = this.#sink.put(next.bytes)
      } catch (error) {
        return this.#fail(messageOf(error))
      }
      if (taken === 0) return this.#tryLater()
      this.#retryMs = RETRY_MS
      this.#isTorn = false
      this.#queuedBytes -= taken
      this.#isBegun = taken < next.bytes.length
      if (this.#isBegun) next.bytes = next.bytes.subarray(taken)
      else this.#queue.shift()
    }
  }

  #next(): Waiting | undefined {
    if (this.#queue.length === 0 && this.#missing > 0) {
      const are = this.#missing === 1 ? '1 line is' : `${this.#missing} lines are`
      const notice = `${this.#isTorn ? '\n' : ''}[!] ${are} missing here: ${this.#why}\n`
      this.#push({ bytes: Buffer.from(notice), lines: this.#missing })
      this.#missing = 0
    }
    return this.#queue[0]
  }

  #push(waiting: Waiting): void {
    this.#queue.push(waiting)
    this.#queuedBytes += waiting.bytes.length
  }

  #miss(lines: number, why: string): void {
    if (this.#missing === 0) this.#why = why
    this.#missing += lines
  }

  /** Drops what waits: that would fail as well. */
  #fail(why: string): void {
    for (const { lines } of this.#queue.splice(0)) this.#miss(lines, why)
    this.#queuedBytes = 0
    this.#isTorn ||= this.#isBegun
    this.#isBegun = false
  }

  #tryLater(): void {
    if (this.#timer) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#drain()
    }, this.#retryMs).unref()
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MAX_MS)
  }
}
