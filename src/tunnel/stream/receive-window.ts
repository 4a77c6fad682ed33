import type { Budget } from '../bounds/budget.ts'
import type { Position } from '../protocol/frames.ts'
import {
  GROWN_WINDOW,
  GROW_AFTER_MS,
  INITIAL_WINDOW,
  QUICK_MS,
  MOST_UNSAID,
  QUICK_WINDOW,
} from '../protocol/window-size.ts'
import { StreamViolation } from './stream-violation.ts'

/** The receiving end of one direction: checks what comes in, and says when to tell the sender of it. */
export class ReceiveWindow {
  /** Bytes received. */
  received = 0
  /** Of these, how many were handed on to the reader. */
  consumed = 0
  /** What the sender has been told it may send in all. */
  limit: number
  finished = false
  #size: number
  readonly #initialSize: number
  readonly #budget: Budget | undefined
  #announced = 0
  /** When the last announcement was made, in ms. */
  #announcedAt = 0
  /** Since when the sender has had more to send than it may, in ms. */
  #blockedAt: number | undefined
  /** The sender had to wait for a WINDOW that was on its way: the window is too small for so long a path. */
  #isTooSmall = false

  /** @param budget what windows may grow by, together; without a budget this one doesn't grow */
  constructor(size = INITIAL_WINDOW, budget?: Budget) {
    this.#size = size
    this.#initialSize = size
    this.#budget = budget
    this.limit = size
  }

  /** The sender is done, and everything it sent was handed on. */
  get done(): boolean {
    return this.finished && this.consumed === this.received
  }

  /**
   * @param blocked the sender has more, and its limit keeps it from sending that
   * @throws StreamViolation if the bytes go past the limit, or come after the end
   */
  receive(bytes: number, blocked = false, now?: number): void {
    if (this.finished) throw new StreamViolation('PROTOCOL', 'data after the end')
    const past = this.received + bytes - this.limit
    if (past > 0) throw new StreamViolation('FLOW_CONTROL', `${past} bytes past the window`)
    this.received += bytes
    if (blocked || this.#blockedAt !== undefined) this.#noteWait(blocked, now ?? performance.now())
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
   * Tells the sender how far things are: after every half window, so that it never runs dry, and once at the
   * very end, so that it knows that all has arrived. Of a window that has grown it is less than half: a
   * sender whose streams keep too much to be sent again has to hear after INITIAL_WINDOW, or waits for ever.
   *
   * @returns what to say in a WINDOW frame, or undefined if it can wait
   */
  announcement(now?: number): { consumed: number; limit: number } | undefined {
    const unsaid = this.#consumedInAll - this.#announced
    const enough = Math.min(this.#size / 2, MOST_UNSAID)
    if (!(this.done ? unsaid > 0 : unsaid >= enough && !this.finished)) return undefined
    this.#grow(now ?? performance.now())
    return this.#announce()
  }

  /** All that the sender has to know after a link was lost. */
  position(answered: boolean): Position {
    return { received: this.received, ...this.#announce(), ended: this.finished, answered }
  }

  /** Gives back to the budget what this window has grown by. */
  release(): void {
    this.#budget?.release(this.#size - this.#initialSize)
    this.#size = this.#initialSize
  }

  #noteWait(blocked: boolean, now: number): void {
    if (this.#blockedAt !== undefined && now - this.#blockedAt > GROW_AFTER_MS) this.#isTooSmall = true
    this.#blockedAt = blocked ? now : undefined
  }

  /** Grows the window of a reader that keeps up: for a slow reader it is never too small. */
  #grow(now: number): void {
    const keepsUp = this.received - this.consumed <= this.#size / 4
    const isQuick = now - this.#announcedAt < QUICK_MS
    const most = this.#isTooSmall ? GROWN_WINDOW : isQuick ? QUICK_WINDOW : 0
    const size = Math.min(this.#size * 2, most)
    if (keepsUp && size > this.#size && this.#budget?.take(size - this.#size)) this.#size = size
    this.#isTooSmall = false
    this.#announcedAt = now
  }

  /** Bytes handed on; the end counts as one more. */
  get #consumedInAll(): number {
    return this.consumed + (this.done ? 1 : 0)
  }

  #announce(): { consumed: number; limit: number } {
    this.#announced = this.#consumedInAll
    this.limit = Math.max(this.limit, this.#announced + this.#size)
    return { consumed: this.#announced, limit: this.limit }
  }
}
