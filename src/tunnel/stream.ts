import { INITIAL_WINDOW, MAX_DATA_BYTES, STREAM_BACKLOG_BYTES } from './limits.ts'
import {
  encodeData,
  encodeFin,
  encodeOpenErr,
  encodeOpenOk,
  encodeRst,
  encodeWindow,
  type Frame,
} from './frames.ts'
import { STREAM_CODES } from './codes.ts'
import type { Link } from './link.ts'
import { unpinned } from './unpinned.ts'
import { ReceiveWindow, SendWindow, StreamViolation } from './windows.ts'

/** So many chunks that came before anyone listened become one. */
const MERGE_EARLY = 64

/** What the local end of a stream hears of it. */
export interface StreamHandler {
  /** The far end has accepted; only the opener hears it. */
  opened?(): void
  /** Bytes have come; say `stream.consumed()` once they were handed on. */
  data(chunk: Buffer): void
  /** The far end has sent all it had. */
  end(): void
  /** `write` may be called again. */
  drain(): void
  /** The stream is broken: nothing more comes, and what was sent may not have arrived. Not after both ends are done. */
  reset(code: number, message: string): void
  /** Both directions came to their end, complete. */
  done?(): void
}

/** One TCP connection as this end of the tunnel sees it: bytes both ways, each way closed by itself. */
export class Stream {
  readonly id: number
  /** The stream's name beyond its link, 128 random bits. */
  readonly key: Buffer
  readonly service: string
  /** The agent that opened it; empty for our own. */
  readonly from: string
  readonly #link: Link
  readonly #forget: () => void
  readonly #out: SendWindow
  readonly #in = new ReceiveWindow(INITIAL_WINDOW)
  #handler: StreamHandler | undefined
  /** What came before anyone listened: no more than the window. */
  #early: Buffer[] = []
  /** How many of these, at the end, have not been merged. */
  #keptSingly = 0
  /** What may not be sent yet: the window is full. */
  #pending: Buffer[] = []
  /** Bytes of ours in the link's queue. */
  #queued = 0
  #ending = false
  #blocked = false
  #gone = false
  /** Why the stream broke, if the far end or the way to it did that. */
  #broken: { code: number; message: string } | undefined

  /** @param limit what the far end has said that it takes in, for a stream that it opened */
  constructor(
    link: Link,
    open: { id: number; key: Buffer; service: string; from: string },
    forget: () => void,
    limit = INITIAL_WINDOW,
  ) {
    this.#out = new SendWindow(limit)
    this.id = open.id
    this.key = open.key
    this.service = open.service
    this.from = open.from
    this.#link = link
    this.#forget = forget
  }

  /** Eight hex digits to find a connection by in the logs of both ends. */
  get shortId(): string {
    return this.key.toString('hex', 0, 4)
  }

  /** Whether the stream is over, one way or the other. */
  get isGone(): boolean {
    return this.#gone
  }

  /** What came before is handed over at once, be it bytes, the end, or that the stream broke. */
  attach(handler: StreamHandler): void {
    this.#handler = handler
    if (this.#broken) return handler.reset(this.#broken.code, this.#broken.message)
    const early = this.#early
    this.#early = []
    for (const chunk of early) if (!this.#gone) handler.data(chunk)
    if (this.#in.finished && !this.#gone) handler.end()
  }

  /** Says yes to a stream that the far end opened. */
  accept(): void {
    if (!this.#gone) this.#link.sendControl(encodeOpenOk(this.id, this.#in.limit))
  }

  /** Says no to a stream that the far end opened. */
  refuse(code: number, message: string): void {
    if (this.#gone) return
    this.#link.sendControl(encodeOpenErr(this.id, code, message))
    this.#leave()
  }

  /**
   * Sends bytes. All are taken, whatever the answer.
   *
   * @returns false if the caller should wait for `drain` before it writes more
   */
  write(chunk: Buffer): boolean {
    if (this.#gone || this.#ending) return false
    // A DATA frame has at least a byte.
    if (chunk.length > 0) this.#pending.push(chunk)
    this.#push()
    return !this.#blocked
  }

  /** Sends the end of this direction, behind all that was written. The other goes on. */
  end(): void {
    if (this.#gone || this.#ending) return
    this.#ending = true
    this.#push()
  }

  /** Says that bytes of `data` were handed on, so that the far end may send more. */
  consumed(bytes: number): void {
    if (this.#gone) return
    this.#in.consume(bytes)
    this.#announce()
  }

  /** Breaks the stream at both ends. */
  reset(code: number, message = ''): void {
    if (this.#gone) return
    this.#link.sendControl(encodeRst(this.id, code, message))
    this.#leave()
  }

  /** Breaks the stream here: its link is gone. */
  abandon(code: number, message: string): void {
    if (this.#gone) return
    this.#leave()
    this.#tellBroken(code, message)
  }

  /** Takes in a frame of this stream. */
  receive(frame: Frame): void {
    if (this.#gone) return
    try {
      this.#take(frame)
      this.#leaveIfDone()
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error
      this.reset(STREAM_CODES[error.kind], error.message)
      this.#tellBroken(STREAM_CODES[error.kind], error.message)
    }
  }

  /** Bytes of this stream have left the link's queue. */
  sent(bytes: number): void {
    this.#queued -= bytes
    this.#push()
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case 'openOk': {
        this.#out.update(0, frame.limit)
        this.#handler?.opened?.()
        this.#push()
        break
      }
      case 'data': {
        this.#in.receive(frame.payload.length)
        if (this.#handler) this.#handler.data(unpinned(frame.payload))
        else this.#keep(unpinned(frame.payload))
        break
      }
      case 'fin': {
        this.#in.finish(frame.offset)
        this.#handler?.end()
        this.#announce()
        break
      }
      case 'window': {
        this.#out.update(frame.consumed, frame.limit)
        this.#push()
        break
      }
      case 'openErr':
      case 'rst': {
        this.#leave()
        this.#tellBroken(frame.code, frame.message)
        break
      }
      default: {
        throw new StreamViolation('PROTOCOL', `an unexpected ${frame.type} frame`)
      }
    }
  }

  #keep(chunk: Buffer): void {
    this.#early.push(chunk)
    // Of single bytes a window has so many that keeping each by itself would cost a hundred times their size.
    if (++this.#keptSingly < MERGE_EARLY) return
    this.#keptSingly = 0
    this.#early.push(Buffer.concat(this.#early.splice(-MERGE_EARLY)))
  }

  /** Moves what may be sent into the link's queue, and no more than a short backlog of it. */
  #push(): void {
    while (this.#pending.length > 0 && this.#queued < STREAM_BACKLOG_BYTES && this.#out.room > 0) {
      const chunk = this.#pending[0]!
      const bytes = Math.min(chunk.length, MAX_DATA_BYTES, this.#out.room)
      if (bytes === chunk.length) this.#pending.shift()
      else this.#pending[0] = chunk.subarray(bytes)
      this.#out.send(bytes)
      this.#enqueue(encodeData(this.id, chunk.subarray(0, bytes)))
    }
    if (this.#pending.length > 0) {
      this.#blocked = true
      return
    }
    if (this.#ending && !this.#out.finished) {
      this.#out.finish(this.#out.sent)
      this.#enqueue(encodeFin(this.id, this.#out.sent))
    }
    if (this.#blocked) {
      this.#blocked = false
      this.#handler?.drain()
    }
  }

  #enqueue(frame: Buffer): void {
    this.#queued += frame.length
    this.#link.sendData(this.id, frame)
  }

  #announce(): void {
    if (this.#gone) return
    const window = this.#in.announcement()
    if (window) this.#link.sendControl(encodeWindow(this.id, window.consumed, window.limit))
    this.#leaveIfDone()
  }

  #leaveIfDone(): void {
    if (this.#gone || !this.#out.done || !this.#in.done) return
    this.#leave()
    this.#handler?.done?.()
  }

  #tellBroken(code: number, message: string): void {
    this.#broken = { code, message }
    this.#handler?.reset(code, message)
  }

  #leave(): void {
    this.#gone = true
    this.#pending = []
    this.#early = []
    this.#link.drop(this.id)
    this.#forget()
  }
}
