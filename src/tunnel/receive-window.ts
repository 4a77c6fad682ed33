import type { Position } from './frames.ts'
import { INITIAL_WINDOW } from './limits.ts'
import { StreamViolation } from './stream-violation.ts'

/** The receiving end of one direction: checks what comes in, and says when to tell the sender of it. */
export class ReceiveWindow {
  /** Bytes received. */
  received = 0
  /** Of these, handed on to the reader. */
  consumed = 0
  /** What the sender has been told it may send in all. */
  limit: number
  finished = false
  readonly #size: number
  #announced = 0

  constructor(size = INITIAL_WINDOW) {
    this.#size = size
    this.limit = size
  }

  /** The sender is done, and everything it sent was handed on. */
  get done(): boolean {
    return this.finished && this.consumed === this.received
  }

  /** @throws StreamViolation if the bytes go past the limit, or come after the end */
  receive(bytes: number): void {
    if (this.finished) throw new StreamViolation('PROTOCOL', 'data after the end')
    const past = this.received + bytes - this.limit
    if (past > 0) throw new StreamViolation('FLOW_CONTROL', `${past} bytes past the window`)
    this.received += bytes
  }

  /** @throws StreamViolation if the stated length isn't what came in: something is missing */
  finish(offset: number): void {
    if (this.finished) throw new StreamViolation('PROTOCOL', 'a second end')
    if (offset !== this.received) {
      throw new StreamViolation('PROTOCOL', `an end at ${offset} after ${this.received} bytes`)
    }
    this.finished = true
  }

  consume(bytes: number): void {
    this.consumed += bytes
  }

  /**
   * Whether the sender is to be told how far things are: after every half window, so that it never runs dry, and once
   * at the very end, so that it knows all has arrived.
   *
   * @returns what to say in a WINDOW frame, or undefined if it can wait
   */
  announcement(): { consumed: number; limit: number } | undefined {
    const unsaid = this.#consumedInAll - this.#announced
    return (this.done ? unsaid > 0 : unsaid >= this.#size / 2 && !this.finished)
      ? this.#announce()
      : undefined
  }

  /** All that the sender has to know after a link was lost. */
  position(answered: boolean): Position {
    return { received: this.received, ...this.#announce(), ended: this.finished, answered }
  }

  /** The end counts as a byte. */
  get #consumedInAll(): number {
    return this.consumed + (this.done ? 1 : 0)
  }

  #announce(): { consumed: number; limit: number } {
    this.#announced = this.#consumedInAll
    this.limit = Math.max(this.limit, this.#announced + this.#size)
    return { consumed: this.#announced, limit: this.limit }
  }
}
