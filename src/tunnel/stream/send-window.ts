import type { Position } from '../protocol/frames.ts'
import { INITIAL_WINDOW } from '../protocol/window-size.ts'
import { StreamViolation } from './stream-violation.ts'

/**
 * One direction of a stream, as absolute byte offsets from its beginning (the way of QUIC's MAX_STREAM_DATA,
 * RFC 9000 §4.1): how much was sent, how much may be, how much has arrived at the far end for good. Used by
 * the sending end for what it sends, and by the hub for what it passes on.
 */
export class SendWindow {
  /** Bytes sent so far. */
  sent = 0
  /** Bytes that may be sent in all, as things stand. */
  limit: number
  /** Bytes that the receiver has handed on, and one more for the end; they never need to be sent again. */
  acked = 0
  finished = false

  constructor(limit = INITIAL_WINDOW) {
    this.limit = limit
  }

  /** The window of a sender whose receiver stands at a position. */
  static at({ received, consumed, limit, ended }: Position): SendWindow {
    const window = new SendWindow(limit)
    window.sent = received
    window.acked = consumed
    window.finished = ended
    return window
  }

  get room(): number {
    return this.limit - this.sent
  }

  /** Everything was sent, and everything has arrived, the end included. */
  get done(): boolean {
    return this.finished && this.acked > this.sent
  }

  /** @throws StreamViolation if the bytes go past the limit, or come after the end */
  send(bytes: number): void {
    if (this.finished) throw new StreamViolation('PROTOCOL', 'data after the end')
    if (bytes > this.room)
      throw new StreamViolation('FLOW_CONTROL', `${bytes - this.room} bytes past the window`)
    this.sent += bytes
  }

  /** @throws StreamViolation if the stated length isn't what was sent, or the direction ended before */
  finish(offset: number): void {
    if (this.finished) throw new StreamViolation('PROTOCOL', 'a second end')
    if (offset !== this.sent)
      throw new StreamViolation('PROTOCOL', `an end at ${offset} after ${this.sent} bytes`)
    this.finished = true
  }

  /**
   * Takes in a WINDOW frame. A frame that is repeated or overtaken changes nothing.
   *
   * @returns whether it brought news
   * @throws StreamViolation if the frame acknowledges what was not sent
   */
  update(consumed: number, limit: number): boolean {
    // The end counts as a byte, as in TCP: else nobody could tell whether it has arrived.
    if (consumed > this.sent + (this.finished ? 1 : 0)) {
      throw new StreamViolation('PROTOCOL', `${consumed} bytes acknowledged, ${this.sent} were sent`)
    }
    const isNews = consumed > this.acked || limit > this.limit
    this.acked = Math.max(this.acked, consumed)
    this.limit = Math.max(this.limit, limit)
    return isNews
  }

  /**
   * Goes back to what the receiver says it has: whatever was sent beyond that got lost with a link.
   *
   * @throws StreamViolation if the receiver can't have come so far
   */
  rewind({ received, consumed, limit, ended }: Position): void {
    const isPossible =
      received >= Math.min(this.acked, this.sent) &&
      received <= this.sent &&
      (!ended || (this.finished && received === this.sent))
    if (!isPossible)
      throw new StreamViolation('PROTOCOL', `${received} bytes received, ${this.sent} were sent`)
    this.sent = received
    this.finished = ended
    this.update(consumed, limit)
  }
}
