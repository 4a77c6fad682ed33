import { INITIAL_WINDOW } from './limits.ts'

/** A peer broke the rules of one stream; that stream is reset, its link goes on. */
export class StreamViolation extends Error {
  override readonly name = 'StreamViolation'
  readonly kind: 'FLOW_CONTROL' | 'PROTOCOL'

  constructor(kind: 'FLOW_CONTROL' | 'PROTOCOL', message: string) {
    super(message)
    this.kind = kind
  }
}

/**
 * One direction of a stream, as absolute byte offsets from its beginning (the way of QUIC's MAX_STREAM_DATA, RFC 9000
 * §4.1): how much was sent, how much may be, how much has arrived at the far end for good. Used by the sending end
 * for what it sends, and by the hub for what it passes on.
 */
export class SendWindow {
  /** Bytes sent so far. */
  sent = 0
  /** Bytes that may be sent in all, as things stand. */
  limit: number
  /** Bytes that the receiver has handed on, and one more for the end; those never need to be sent again. */
  acked = 0
  finished = false

  constructor(limit = INITIAL_WINDOW) {
    this.limit = limit
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

  /** @throws StreamViolation if the stated length isn't what was sent, or it ended before */
  finish(offset: number): void {
    if (this.finished) throw new StreamViolation('PROTOCOL', 'a second end')
    if (offset !== this.sent)
      throw new StreamViolation('PROTOCOL', `an end at ${offset} after ${this.sent} bytes`)
    this.finished = true
  }

  /**
   * Takes in a WINDOW frame. One that is repeated or overtaken changes nothing.
   *
   * @returns whether it brought news
   * @throws StreamViolation if it acknowledges what was not sent
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
}

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
    const consumed = this.consumed + (this.done ? 1 : 0)
    const unsaid = consumed - this.#announced
    if (!(this.done ? unsaid > 0 : unsaid >= this.#size / 2 && !this.finished)) return undefined
    this.#announced = consumed
    this.limit = Math.max(this.limit, consumed + this.#size)
    return { consumed, limit: this.limit }
  }
}
