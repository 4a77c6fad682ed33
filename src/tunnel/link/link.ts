import type { Transport } from '../../websocket/transport.ts'
import { GOAWAY_CODES, type GoawayCode } from '../protocol/codes.ts'
import { decode } from '../protocol/decode.ts'
import { encodeGoaway, encodePing, encodePong } from '../protocol/encode.ts'
import { FrameError, TYPE, type Frame } from '../protocol/frames.ts'
import {
  CONTROL_BACKLOG_HIGH_BYTES,
  FRAME_OVERHEAD_BYTES,
  FRAME_WORK_BYTES,
  HEADER_BYTES,
  LINK_BACKLOG_HIGH_BYTES,
  LINK_BACKLOG_LOW_BYTES,
  MAX_CONTROL_BACKLOG_BYTES,
  SOCKET_BACKLOG_BYTES,
} from '../protocol/limits.ts'
import type { Message } from '../protocol/message.ts'
import { Inbox } from './inbox.ts'
import { Liveness } from './liveness.ts'
import { Outbox } from './outbox.ts'
import { Pace } from './pace.ts'

/** A frame that concerns whoever owns the link; PING and PONG are the link's own business. */
export type LinkFrame = Exclude<Frame, { type: 'ping' | 'pong' | 'skipped' }>

export interface LinkHandler {
  /** @param message the frame as it came, in one chunk but for DATA, free to be changed and sent on */
  frame(frame: LinkFrame, message: Message): void
  /** Bytes of a stream have left the link's queue. */
  sent?(stream: number, bytes: number): void
  /** The link's own backlog had been high, and is low again. */
  relieved?(): void
  /** What waits to be sent has grown, or shrunk, by this many bytes. */
  waiting?(bytes: number): void
  /**
   * Called once, whatever ended the link.
   *
   * @param code of the GOAWAY that either side sent, if one did
   */
  closed(reason: string, code: number | undefined): void
}

/** RFC 6455 §7.4.1. */
const NORMAL_CLOSURE = 1000

/** How long a frame that nobody waits for is kept back at the most, in ms, for others to go out with it. */
const LAZY_MS = 2

/** One connection as a link: frames in and out, in fair turns, and proof of life. Knows no streams. */
export class Link {
  readonly #transport: Transport
  readonly #outbox = new Outbox()
  #handler: LinkHandler | undefined
  /** Why this end is closing the link. */
  #closing: string | undefined
  /** Why the peer closes it: the text of its GOAWAY. */
  #goawayReason: string | undefined
  /** The code of the GOAWAY that either side sent. */
  #code: number | undefined
  #closed = false
  #flushing = false
  #lingering = false
  #high = false
  /** Frames that the transport holds. */
  #unwritten = 0
  /** The cost of what waits, as the handler was told last. */
  #told = 0
  #inbox: Inbox | undefined
  readonly #liveness = new Liveness()
  #pings = 0n

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * To be called once. Frames that came before are handed over after this has returned.
   *
   * @param pace shared with the other links of an agent; default one of its own
   */
  attach(handler: LinkHandler, pace = new Pace()): void {
    this.#handler = handler
    const inbox = new Inbox(this.#transport, pace, (message) => this.#receive(message))
    this.#inbox = inbox
    this.#transport.attach({
      message: (chunks, bytes) => inbox.push({ chunks, bytes }),
      pinged: () => inbox.charge(FRAME_WORK_BYTES),
      closed: (reason) => this.#lost(reason),
    })
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#transport.isOpen
  }

  /** What it costs, in bytes, to have frames wait here, besides the little that the transport holds. */
  get backlog(): number {
    return this.#outbox.cost
  }

  /** The stream with the most data that waits. */
  get largestStream(): number | undefined {
    return this.#outbox.largestStream
  }

  /** Whether so much control waits that nobody should add to it without need. */
  get isBehind(): boolean {
    return this.#outbox.controlCost > CONTROL_BACKLOG_HIGH_BYTES
  }

  /** Sends a frame ahead of all data, in place of one of the same type and stream that still waits. */
  sendControl(frame: Buffer): void {
    if (this.#queueControl(frame)) this.#scheduleFlush()
  }

  /**
   * The same for a frame that nobody waits for: it goes out with the next that is sent, or after a moment. By
   * itself it would cost each process on its way a turn of the event loop.
   */
  sendLazily(frame: Buffer): void {
    if (!this.#queueControl(frame) || this.#flushing || this.#lingering) return
    this.#lingering = true
    setTimeout(this.#flushLazily, LAZY_MS)
  }

  /** @returns whether it is to be sent */
  #queueControl(frame: Buffer): boolean {
    if (!this.isOpen) return false
    this.#outbox.pushControl(frame)
    if (this.#outbox.controlCost > MAX_CONTROL_BACKLOG_BYTES) {
      this.terminate('the peer does not read')
      return false
    }
    this.#tell()
    return true
  }

  /** Whether a control frame of this type and stream has yet to go out. */
  hasWaiting(type: number, stream: number): boolean {
    return this.#outbox.hasControl(type, stream)
  }

  /** Queues a DATA or FIN frame behind its stream's others. */
  sendData(stream: number, frame: Message): void {
    if (!this.isOpen) return
    this.#outbox.pushData(stream, frame)
    if (this.#outbox.dataCost > LINK_BACKLOG_HIGH_BYTES) this.#high = true
    this.#tell()
    this.#scheduleFlush()
  }

  /** Whether the data that waits rose above LINK_BACKLOG_HIGH_BYTES, and is not below the low mark again. */
  get isBackedUp(): boolean {
    return this.#high
  }

  /** Forgets the data that a stream still had to send. */
  drop(stream: number): void {
    this.#outbox.drop(stream)
    this.#tell()
  }

  /**
   * Ends the link in good order: what is queued as control goes out, then the reason.
   *
   * @param afterMs how long the peer shall stay away
   */
  close(code: GoawayCode, message: string, afterMs = 0): void {
    if (!this.isOpen) return this.#clear()
    this.#outbox.pushControl(encodeGoaway(code, afterMs, message))
    this.#transport.cork()
    for (let frame; (frame = this.#outbox.shiftControl());) this.#send(frame)
    this.#transport.uncork()
    this.#closing = message
    this.#code = code
    this.#clear()
    this.#transport.close(NORMAL_CLOSURE)
  }

  /** Ends the link because the peer broke the protocol. */
  fail(reason: string): void {
    this.close(GOAWAY_CODES.PROTOCOL, reason)
  }

  /** Drops the link without a word: nobody is there to hear it. */
  terminate(reason: string): void {
    if (this.#closed) return
    this.#closing ??= reason
    this.#clear()
    this.#transport.terminate()
  }

  /** Asks the peer whether it lives, whenever it was heard last; it is dropped if nothing comes in time. */
  probe(withinMs: number, now = performance.now()): void {
    if (!this.isOpen) return
    this.#liveness.asked(this.#transport.bytesRead, withinMs, now)
    this.#ping()
  }

  /**
   * To be called about once a second: asks a silent peer whether it lives, and drops a dead one.
   *
   * @param now ms of a clock that never jumps
   * @param time ms of the wall clock, which goes on while the machine sleeps
   */
  tick(now = performance.now(), time = Date.now()): void {
    if (!this.isOpen) return
    const verdict = this.#liveness.tick(this.#transport, now, time)
    if (verdict === 'dead') this.terminate('no sign of life')
    else if (verdict) this.#ping()
  }

  #ping(): void {
    this.sendControl(encodePing(++this.#pings))
  }

  get #isOver(): boolean {
    return this.#closed || this.#closing !== undefined
  }

  #receive(received: Message): void {
    if (this.#isOver) return
    const message = isData(received) ? received : joined(received)
    let frame: Frame
    try {
      frame = decode(message.chunks[0]!, message.chunks.slice(1))
    } catch (error) {
      if (error instanceof FrameError) return this.fail(error.message)
      throw error
    }
    // A GOAWAY's text tells more than the close code that follows.
    if (frame.type === 'goaway') {
      this.#goawayReason = frame.message
      this.#code = frame.code
    }
    if (frame.type === 'ping') this.sendControl(encodePong(frame.token))
    else if (frame.type !== 'pong' && frame.type !== 'skipped') this.#handler?.frame(frame, message)
  }

  /**
   * Sends all that was queued in a turn of the event loop by one write: after all of its reads. Each read is
   * followed by process.nextTick, and TLS would end each write with a small record.
   */
  #scheduleFlush(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(this.#flush)
  }

  readonly #flushLazily = (): void => {
    this.#lingering = false
    this.#flush()
  }

  readonly #flush = (): void => {
    this.#flushing = false
    if (!this.isOpen) return
    this.#transport.cork()
    while (this.#transport.unwrittenBytes + this.#unwritten * FRAME_OVERHEAD_BYTES < SOCKET_BACKLOG_BYTES) {
      const next = this.#outbox.shift()
      if (!next) break
      this.#send(next.frame)
      if (next.stream !== 0) this.#handler?.sent?.(next.stream, next.frame.bytes)
    }
    this.#transport.uncork()
    this.#tell()
    if (this.#high && this.#outbox.dataCost < LINK_BACKLOG_LOW_BYTES) {
      this.#high = false
      this.#handler?.relieved?.()
    }
  }

  #send({ chunks, bytes, sent }: Message): void {
    this.#unwritten++
    if (!sent) return this.#transport.send(chunks, bytes, this.#onWritten)
    this.#transport.send(chunks, bytes, () => {
      sent()
      this.#onWritten()
    })
  }

  readonly #onWritten = (): void => {
    this.#unwritten--
    if (this.#outbox.cost > 0 || this.#high) this.#scheduleFlush()
  }

  /** Forgets what waits: nothing of it is of use any more. */
  #clear(): void {
    this.#inbox?.clear()
    this.#outbox.clear()
    this.#tell()
  }

  #tell(): void {
    const change = this.#outbox.cost - this.#told
    if (change === 0) return
    this.#told += change
    this.#handler?.waiting?.(change)
  }

  /** The transport is closed. What came before that still counts. */
  #lost(reason: string): void {
    this.#outbox.clear()
    this.#tell()
    this.#inbox?.end(() => this.#end(reason))
  }

  #end(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#closing ??= this.#goawayReason ?? reason
    this.#clear()
    this.#handler?.closed(this.#closing, this.#code)
  }
}

/** Whether a message may stay in chunks: the payload of a DATA is only passed on. */
function isData({ chunks }: Message): boolean {
  return chunks[0] !== undefined && chunks[0].length >= HEADER_BYTES && chunks[0][0] === TYPE.DATA
}

function joined(message: Message): Message {
  const { chunks, bytes } = message
  return chunks.length === 1 ? message : { chunks: [Buffer.concat(chunks, bytes)], bytes }
}
