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
import type { BreakCause, PendingReset, StreamState } from './stream-state.ts'
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
  #state: StreamState
  /** Whether the far end has accepted it, or this one has and is yet to say so. */
  #answer: 'awaited' | 'due' | 'given' = 'awaited'

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
    this.#state = { name: 'attached', line }
    this.#forget = forget
    this.#out = new Outgoing(limit, budgets.unacked)
    this.#in = new Incoming(budgets.growth)
  }

  /** Eight hex digits to find a connection by in the logs of both ends. */
  get shortId(): string {
    return this.key.toString('hex', 0, 4)
  }

  /** Whether nothing more is to be had of it here, one way or the other. */
  get isGone(): boolean {
    return this.#state.name === 'leaving' || this.#state.name === 'over'
  }

  /** Where it may speak. */
  get #open(): Line | undefined {
    return this.#state.name === 'attached' ? this.#state.line : undefined
  }

  /** What came before is handed over at once, be it bytes, the end, or that the stream broke. */
  attach(handler: StreamHandler): void {
    this.#handler = handler
    const { cause } = this.#state
    if (cause) return handler.reset(cause.code, cause.message)
    this.#in.attach(handler)
  }

  /** Has `listener` called if the stream breaks before anyone is attached. */
  whenBroken(listener: () => void): void {
    this.#whenBroken = listener
  }

  /** Says yes to a stream that the far end opened. */
  accept(): void {
    if (this.isGone) return
    this.#answer = 'due'
    this.#sayAnswer()
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
    if (this.isGone || this.#out.isEnding) return false
    this.#out.write(chunk)
    this.#push()
    return !this.#out.isBlocked
  }

  /** Sends the end of this direction, behind all that was written. The other goes on. */
  end(): void {
    if (this.isGone || this.#out.isEnding) return
    this.#out.end()
    this.#push()
  }

  /** Says that bytes of `data` were handed on, so that the far end may send more. */
  consumed(bytes: number): void {
    if (this.isGone) return
    this.#in.consumed(bytes)
    this.#announce()
  }

  /** Breaks the stream at both ends. */
  reset(code: number, message = ''): void {
    this.#leave((id) => encodeRst(id, code, message))
  }

  /** Breaks the stream here. */
  abandon(code: number, message: string): void {
    this.#fail({ code, message })
  }

  /** Its link is gone. It is broken unless another link carries it within the time. */
  detach(withinMs: number, reason: string): void {
    const state = this.#state
    this.#out.unqueue()
    if (state.name === 'attached') {
      const deadline = setTimeout(() => this.abandon(STREAM_CODES.LINK_LOST, reason), withinMs)
      this.#state = { name: 'detached', deadline }
    } else if (state.name === 'resuming') this.#state = { name: 'detached', deadline: state.deadline }
    else if (state.name === 'leaving') this.#state = { ...state, line: undefined }
  }

  /** A new link takes it on: says where this end stands, and waits to hear where the other does. */
  resume(line: Line): void {
    const state = this.#state
    if (state.name === 'detached') this.#state = { name: 'resuming', line, deadline: state.deadline }
    else if (state.name === 'leaving') this.#state = { ...state, line }
    else throw new Error(`a stream was resumed that is ${state.name}`)
    const { key, service, from, hops } = this
    line.link.sendControl(encodeResume(line.id, key, this.#position(), service, from, hops))
  }

  /** Takes in a frame of this stream. */
  receive(frame: Frame): void {
    try {
      this.#take(frame)
      this.#leaveIfDone()
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error
      const cause = { code: STREAM_CODES[error.kind], message: error.message }
      this.#leave((id) => encodeRst(id, cause.code, cause.message), cause)
      this.#tellBroken(cause)
    }
  }

  /** Bytes of this stream have left the link's queue. */
  sent(bytes: number): void {
    this.#out.left(bytes)
    this.#push()
  }

  #take(frame: Frame): void {
    if (frame.type === 'rst' || frame.type === 'openErr') return this.#fail(frame)
    if (frame.type !== 'openOk') {
      if (this.#state.name === 'resuming') return this.#takePosition(this.#state, frame)
      if (this.#state.name === 'leaving' && this.#state.line)
        return this.#tell(this.#state.line, this.#state.pendingReset, this.#state.cause)
    }
    if (this.isGone) return
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
    const line = this.#open
    if (!line || !frame.key.equals(this.key)) throw new StreamViolation('PROTOCOL', 'another stream’s RESUME')
    // What is queued would come behind the answer, and look as if it were sent after it.
    line.link.drop(line.id)
    this.#out.unqueue()
    this.#out.rewind(frame.position)
    line.link.sendControl(encodeResumed(line.id, this.#position()))
    this.#goOn(frame.position)
  }

  /** The far end answers our RESUME. */
  #takePosition({ line, deadline }: Extract<StreamState, { name: 'resuming' }>, frame: Frame): void {
    clearTimeout(deadline)
    this.#state = { name: 'attached', line }
    if (frame.type !== 'resumed')
      throw new StreamViolation('PROTOCOL', `a ${frame.type} frame instead of RESUMED`)
    this.#out.rewind(frame.position)
    this.#goOn(frame.position)
  }

  #goOn({ answered }: Position): void {
    if (answered) this.#opened()
    this.#sayAnswer()
    this.#announce()
    this.#push()
  }

  #sayAnswer(): void {
    const line = this.#open
    if (this.#answer !== 'due' || !line) return
    this.#answer = 'given'
    line.link.sendControl(encodeOpenOk(line.id, this.#in.limit))
  }

  #opened(): void {
    if (this.#answer !== 'awaited') return
    this.#answer = 'given'
    this.#handler?.opened?.()
  }

  /** Where this end stands, its answer included. */
  #position(): Position {
    if (this.#answer === 'due') this.#answer = 'given'
    return this.#in.position(this.#answer === 'given')
  }

  #push(): void {
    if (this.isGone) return
    const line = this.#open
    if (!line) this.#out.hold()
    else if (this.#out.push(line)) this.#handler?.drain()
  }

  #announce(): void {
    const line = this.#open
    if (!line) return
    const window = this.#in.announcement()
    if (window) line.link.sendControl(encodeWindow(line.id, window.consumed, window.limit))
    this.#leaveIfDone()
  }

  #leaveIfDone(): void {
    if (this.#open && this.#out.isDone && this.#in.isDone) this.#done()
  }

  #done(): void {
    this.#finish()
    this.#handler?.done?.()
  }

  /** The far end, or the way to it, broke the stream. */
  #fail({ code, message }: BreakCause): void {
    if (this.#state.name === 'over') return
    if (this.isGone) return this.#finish()
    // All has arrived here, and been sent: only the far end's last word about that got lost.
    if (this.#in.isDone && this.#out.isFinished && LINK_LOST_CODES.has(code)) return this.#done()
    const cause = { code, message }
    this.#finish(cause)
    this.#tellBroken(cause)
  }

  #tellBroken({ code, message }: BreakCause): void {
    if (this.#handler) this.#handler.reset(code, message)
    else this.#whenBroken?.()
  }

  /** Ends it here, and tells the far end, now or once a link carries it again. */
  #leave(pendingReset: PendingReset, cause?: BreakCause): void {
    const state = this.#state
    if (state.name === 'attached') this.#tell(state.line, pendingReset, cause)
    else if (state.name === 'detached' || state.name === 'resuming') {
      const { line, deadline } = state
      this.#state = { name: 'leaving', line, deadline, pendingReset, cause }
      this.#release()
    }
  }

  #tell({ link, id }: Line, pendingReset: PendingReset, cause: BreakCause | undefined): void {
    link.sendControl(pendingReset(id))
    this.#finish(cause)
  }

  #finish(cause?: BreakCause): void {
    const { line, deadline } = this.#state
    this.#state = { name: 'over', cause }
    clearTimeout(deadline)
    this.#release()
    line?.link.drop(line.id)
    this.#forget(line?.id)
  }

  #release(): void {
    this.#out.clear()
    this.#in.close()
  }
}
