import { isPiece } from '../../memory/pieces.ts'
import type { Budget } from '../bounds/budget.ts'
import type { Link } from '../link/link.ts'
import { encodeDataHeader, encodeFin } from '../protocol/encode.ts'
import type { Position } from '../protocol/frames.ts'
import { HEADER_BYTES, MAX_DATA_BYTES, STREAM_BACKLOG_BYTES } from '../protocol/limits.ts'
import type { Message } from '../protocol/message.ts'
import { INITIAL_WINDOW } from '../protocol/window-size.ts'
import { SendBuffer } from './send-buffer.ts'
import { SendWindow } from './send-window.ts'

/** Where a stream's frames go. */
export interface StreamRoute {
  readonly link: Link
  /** The stream's number there. */
  readonly id: number
}

/** What one end of a stream sends: kept until the far end has it for good, so that it can be sent again. */
export class Outgoing {
  readonly #window: SendWindow
  readonly #buffer = new SendBuffer()
  /** Bytes in the link's queue. */
  #queued = 0
  /** Offset up to which no link has bytes to write, and how often it has been set back. */
  #written = 0
  #rewinds = 0
  #ending = false
  #blocked = false
  readonly #budget: Budget
  /** What of the budget this stream has: the bytes that are sent and not acknowledged. */
  #charged = 0

  /**
   * @param limit up to where the far end takes bytes, as far as it is known
   * @param budget for what is kept to be sent again
   */
  constructor(limit: number, budget: Budget) {
    this.#window = new SendWindow(limit)
    this.#budget = budget
  }

  /** Nothing more can be written. */
  get isEnding(): boolean {
    return this.#ending
  }

  /** The far end was told of the end. It may not know yet. */
  get isFinished(): boolean {
    return this.#window.finished
  }

  /** The far end has all of it. */
  get isDone(): boolean {
    return this.#window.done
  }

  /** Bytes that the far end is not known to have; the end counts as one. */
  get unacknowledged(): number {
    return this.#buffer.end + 1 - this.#window.acked
  }

  /** Something waits that can't be sent yet. */
  get isBlocked(): boolean {
    return this.#blocked
  }

  write(chunk: Buffer): void {
    this.#buffer.push(chunk)
  }

  end(): void {
    this.#ending = true
  }

  /** @throws StreamViolation if the far end acknowledges what was not sent */
  update(consumed: number, limit: number): void {
    this.#window.update(consumed, limit)
    this.#acknowledged()
  }

  /** Bytes have left the link's queue. */
  left(bytes: number): void {
    this.#queued -= bytes
  }

  /** Nothing of the stream is queued any more: its link is lost, or was told to drop it. */
  unqueue(): void {
    this.#queued = 0
  }

  /**
   * Begins anew where the far end says that it stands.
   *
   * @throws StreamViolation if the far end can't stand there
   */
  rewind(position: Position): void {
    this.#window.rewind(position)
    // What is still on its way through a link may be anything behind.
    this.#written = Math.min(this.#written, position.received)
    this.#rewinds++
    this.#acknowledged()
  }

  /** Nothing can be sent for now. */
  hold(): void {
    this.#blocked = this.#window.sent < this.#buffer.end
  }

  /** Forgets all that was written. */
  clear(): void {
    this.#buffer.clear()
    this.#charge(0)
  }

  /**
   * Moves what may be sent into the link's queue, and no more than a short backlog of it.
   *
   * @returns whether something had waited, and nothing does any more
   */
  push({ link, id }: StreamRoute): boolean {
    while (this.#queued < STREAM_BACKLOG_BYTES) {
      const room = this.#room
      const payload = this.#buffer.read(this.#window.sent, Math.min(MAX_DATA_BYTES, room))
      if (!payload) break
      const { chunks, bytes } = payload
      this.#window.send(bytes)
      const isBlocked = bytes === room && this.#window.sent < this.#buffer.end
      const header = encodeDataHeader(id, isBlocked)
      const sent = chunks.some(isPiece) ? this.#noteWritten(this.#window.sent, this.#rewinds) : undefined
      this.#enqueue(link, id, { chunks: [header, ...chunks], bytes: HEADER_BYTES + bytes, sent })
    }
    this.#charge(Math.max(0, this.#window.sent - this.#window.acked))
    const wasBlocked = this.#blocked
    this.#blocked = this.#window.sent < this.#buffer.end
    if (this.#blocked) return false
    if (this.#ending && !this.#window.finished) {
      this.#window.finish(this.#window.sent)
      const fin = encodeFin(id, this.#window.sent)
      this.#enqueue(link, id, { chunks: [fin], bytes: fin.length })
    }
    return wasBlocked
  }

  /** A link writes in order: whatever was sent before it has been written, too. */
  #noteWritten(upTo: number, rewinds: number): () => void {
    return () => {
      if (rewinds === this.#rewinds) this.#written = upTo
    }
  }

  /** Bytes that may be sent: few, whatever the far end takes, once all streams together keep too many. */
  get #room(): number {
    const { acked, sent, room } = this.#window
    return this.#budget.isSpent ? Math.min(room, acked + INITIAL_WINDOW - sent) : room
  }

  #acknowledged(): void {
    this.#buffer.release(this.#window.acked, this.#written)
    this.#charge(Math.max(0, this.#window.sent - this.#window.acked))
  }

  #charge(bytes: number): void {
    this.#budget.charge(bytes - this.#charged)
    this.#charged = bytes
  }

  #enqueue(link: Link, id: number, frame: Message): void {
    this.#queued += frame.bytes
    link.sendData(id, frame)
  }
}
