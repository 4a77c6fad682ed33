import type { Budget } from './budget.ts'
import { LINK_LOST_CODES, STREAM_CODES } from './codes.ts'
import {
  encodeOpenErr,
  encodeOpenOk,
  encodeResume,
  encodeResumed,
  encodeRst,
  encodeWindow,
} from './encode.ts'
import type { Frame, Position } from './frames.ts'
import { Incoming } from './incoming.ts'
import { INITIAL_WINDOW } from './limits.ts'
import { Outgoing, type Line } from './outgoing.ts'
import type { StreamHandler } from './stream-handler.ts'
import { StreamViolation } from './stream-violation.ts'

/** What a stream is called, and whose it is. */
export interface StreamName {
  /** 128 random bits, the stream's name beyond its links. */
  readonly key: Buffer
  readonly service: string
  /** The agent that opened it; empty for our own. */
  readonly from: string
  /** How many streams the connection has come through before this one. */
  readonly hops: number
}

/** What all streams of a process share. */
export interface Budgets {
  readonly unacked: Budget
  readonly growth: Budget
}

/**
 * One TCP connection as this end of the tunnel sees it: bytes both ways, each way closed by itself. It outlives its
 * link: what the far end has not acknowledged is kept, and sent again over the next one.
 */
export class Stream {
  readonly key: Buffer
  readonly service: string
  readonly from: string
  readonly hops: number
  readonly #forget: (id: number | undefined) => void
  readonly #out: Outgoing
  readonly #in: Incoming
  #handler: StreamHandler | undefined
  #whenBroken: (() => void) | undefined
  /** Undefined while its link is lost. */
  #line: Line | undefined
  /** On a new link, and the far end has not said where it stands: nothing else may be sent. */
  #resuming = false
  /** Ends the stream if no link carries it in time. */
  #deadline: NodeJS.Timeout | undefined
  /** The far end has accepted it, or this one has. */
  #answered = false
  /** This end has accepted it, and the far end was not told. */
  #isAnswerDue = false
  #gone = false
  /** How it ended here, where the far end is still to be told. */
  #lastWords: ((id: number) => Buffer) | undefined
  /** Why the stream broke, if the far end or the way to it did that. */
  #broken: { code: number; message: string } | undefined

  /**
   * @param forget called with its number, if it has one, once nothing more is to be said or heard of it
   * @param limit what the far end has said that it takes in, for a stream that it opened
   */
  constructor(
    name: StreamName,
    line: Line,
    budgets: Budgets,
    forget: (id: number | undefined) => void,
    limit = INITIAL_WINDOW,
  ) {
    this.key = name.key
    this.service = name.service
    this.from = name.from
    this.hops = name.hops
    this.#line = line
    this.#forget = forget
    this.#out = new Outgoing(limit, budgets.unacked)
    this.#in = new Incoming(budgets.growth)
  }

  /** Eight hex digits to find a connection by in the logs of both ends. */
  get shortId(): string {
    return this.key.toString('hex', 0, 4)
  }

  /** Where it may speak: nowhere while its link is lost, or the far end has yet to say where it stands. */
  get #open(): Line | undefined {
    return this.#resuming ? undefined : this.#line
  }

  /** Whether the stream is over, one way or the other. */
  get isGone(): boolean {
    return this.#gone
  }

  /** What came before is handed over at once, be it bytes, the end, or that the stream broke. */
  attach(handler: StreamHandler): void {
    this.#handler = handler
    if (this.#broken) return handler.reset(this.#broken.code, this.#broken.message)
    this.#in.attach(handler)
  }

  /** Has `listener` called if the stream breaks before anyone is attached. */
  whenBroken(listener: () => void): void {
    this.#whenBroken = listener
  }

  /** Says yes to a stream that the far end opened. */
  accept(): void {
    if (this.#gone) return
    this.#answered = true
    this.#isAnswerDue = true
    this.#answer()
  }

  /** Says no to a stream that the far end opened. */
  refuse(code: number, message: string): void {
    this.#leave((id) => encodeOpenErr(id, code, message))
  }

  /**
   * Sends bytes. All are taken, whatever the answer.
   *
   * @returns false if the caller should wait for `drain` before it writes more
   */
  write(chunk: Buffer): boolean {
    if (this.#gone || this.#out.isEnding) return false
    this.#out.write(chunk)
    this.#push()
    return !this.#out.isBlocked
  }

  /** Sends the end of this direction, behind all that was written. The other goes on. */
  end(): void {
    if (this.#gone || this.#out.isEnding) return
    this.#out.end()
    this.#push()
  }

  /** Says that bytes of `data` were handed on, so that the far end may send more. */
  consumed(bytes: number): void {
    if (this.#gone) return
    this.#in.consumed(bytes)
    this.#announce()
  }

  /** Breaks the stream at both ends. */
  reset(code: number, message = ''): void {
    this.#leave((id) => encodeRst(id, code, message))
  }

  /** Breaks the stream here. */
  abandon(code: number, message: string): void {
    if (!this.#gone) this.#fail(code, message)
    else if (this.#lastWords) this.#forgotten()
  }

  /** Its link is gone. It is broken unless another link carries it within the time. */
  lose(withinMs: number, reason: string): void {
    this.#line = undefined
    this.#resuming = false
    this.#out.unqueue()
    this.#deadline ??= setTimeout(() => this.abandon(STREAM_CODES.LINK_LOST, reason), withinMs)
  }

  /** A new link takes it on: says where this end stands, and waits to hear where the other does. */
  resume(line: Line): void {
    this.#line = line
    this.#resuming = true
    const { key, service, from, hops } = this
    line.link.sendControl(encodeResume(line.id, key, this.#position(), service, from, hops))
  }

  /** Takes in a frame of this stream. */
  receive(frame: Frame): void {
    const wasGone = this.#gone
    try {
      this.#take(frame)
      this.#leaveIfDone()
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error
      this.reset(STREAM_CODES[error.kind], error.message)
      if (!wasGone) this.#tellBroken(STREAM_CODES[error.kind], error.message)
    }
  }

  /** Bytes of this stream have left the link's queue. */
  sent(bytes: number): void {
    this.#out.left(bytes)
    this.#push()
  }

  #take(frame: Frame): void {
    if (frame.type === 'rst' || frame.type === 'openErr') return this.#fail(frame.code, frame.message)
    if (this.#resuming && frame.type !== 'openOk') return this.#takeAnswer(frame)
    if (this.#gone) return
    switch (frame.type) {
      case 'openOk': {
        this.#out.update(0, frame.limit)
        this.#opened()
        this.#push()
        break
      }
      case 'data': {
        this.#in.data(frame)
        break
      }
      case 'fin': {
        this.#in.finish(frame.offset)
        this.#announce()
        break
      }
      case 'window': {
        this.#out.update(frame.consumed, frame.limit)
        this.#push()
        break
      }
      case 'resume': {
        this.#takeQuestion(frame)
        break
      }
      default: {
        throw new StreamViolation('PROTOCOL', `an unexpected ${frame.type} frame`)
      }
    }
  }

  /** The far end has come back on a new link, while ours was up all the time. */
  #takeQuestion(frame: Extract<Frame, { type: 'resume' }>): void {
    if (!this.#line || !frame.key.equals(this.key))
      throw new StreamViolation('PROTOCOL', 'another stream’s RESUME')
    const { link, id } = this.#line
    // What is queued would come behind the answer, and look as if it were sent after it.
    link.drop(id)
    this.#out.unqueue()
    this.#out.rewind(frame.position)
    link.sendControl(encodeResumed(id, this.#position()))
    this.#goOn(frame.position)
  }

  /** The far end answers our RESUME. */
  #takeAnswer(frame: Frame): void {
    this.#resuming = false
    if (frame.type !== 'resumed')
      throw new StreamViolation('PROTOCOL', `a ${frame.type} frame instead of RESUMED`)
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    if (this.#lastWords) return this.#sayLastWords()
    this.#out.rewind(frame.position)
    this.#goOn(frame.position)
  }

  #goOn({ answered }: Position): void {
    if (answered) this.#opened()
    this.#answer()
    this.#announce()
    this.#push()
  }

  #answer(): void {
    const line = this.#open
    if (!this.#isAnswerDue || !line) return
    this.#isAnswerDue = false
    line.link.sendControl(encodeOpenOk(line.id, this.#in.limit))
  }

  #opened(): void {
    if (this.#answered) return
    this.#answered = true
    this.#handler?.opened?.()
  }

  #position(): Position {
    this.#isAnswerDue = false
    return this.#in.position(this.#answered)
  }

  #push(): void {
    if (this.#gone) return
    const line = this.#open
    if (!line) this.#out.hold()
    else if (this.#out.push(line)) this.#handler?.drain()
  }

  #announce(): void {
    const line = this.#open
    if (this.#gone || !line) return
    const window = this.#in.announcement()
    if (window) line.link.sendControl(encodeWindow(line.id, window.consumed, window.limit))
    this.#leaveIfDone()
  }

  #leaveIfDone(): void {
    if (!this.#gone && this.#open && this.#out.isDone && this.#in.isDone) this.#done()
  }

  #done(): void {
    this.#gone = true
    this.#forgotten()
    this.#handler?.done?.()
  }

  /** The far end, or the way to it, broke the stream. */
  #fail(code: number, message: string): void {
    const wasGone = this.#gone
    // All has arrived here, and been sent: only the far end's last word about that got lost.
    if (!wasGone && this.#in.isDone && this.#out.isFinished && LINK_LOST_CODES.has(code)) return this.#done()
    this.#gone = true
    this.#forgotten()
    if (!wasGone) this.#tellBroken(code, message)
  }

  #tellBroken(code: number, message: string): void {
    this.#broken = { code, message }
    if (!this.#handler) this.#whenBroken?.()
    this.#handler?.reset(code, message)
  }

  /** Ends it here, and tells the far end, now or once a link carries it again. */
  #leave(lastWords: (id: number) => Buffer): void {
    if (this.#gone) return
    this.#gone = true
    this.#lastWords = lastWords
    this.#out.clear()
    this.#in.close()
    if (this.#open) this.#sayLastWords()
  }

  #sayLastWords(): void {
    const { link, id } = this.#line!
    link.sendControl(this.#lastWords!(id))
    this.#forgotten()
  }

  #forgotten(): void {
    clearTimeout(this.#deadline)
    this.#lastWords = undefined
    this.#out.clear()
    this.#in.close()
    this.#line?.link.drop(this.#line.id)
    this.#forget(this.#line?.id)
  }
}
