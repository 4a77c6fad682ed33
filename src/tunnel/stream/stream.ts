import type { Budget } from '../bounds/budget.ts'
import { LINK_LOST_CODES, STREAM_CODES } from '../protocol/codes.ts'
import {
  encodeOpenErr,
  encodeOpenOk,
  encodeResume,
  encodeResumed,
  encodeRst,
  encodeWindow,
} from '../protocol/encode.ts'
import type { Frame, Position } from '../protocol/frames.ts'
import { INITIAL_WINDOW } from '../protocol/window-size.ts'
import { Incoming } from './incoming.ts'
import { Outgoing, type StreamRoute } from './outgoing.ts'
import type { StreamHandler } from './stream-handler.ts'
import type { ResetReason, PendingReset, StreamState } from './stream-state.ts'
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
  /** Of our own: the agent that alone may accept it; undefined for whoever has the service. */
  readonly acceptor?: string | undefined
}

/** What all streams of a process share. */
export interface Budgets {
  readonly unacked: Budget
  readonly growth: Budget
}

/**
 * One TCP connection as this end of the tunnel sees it: bytes both ways, each way closed by itself. A stream
 * outlives its link: what the far end has not acknowledged is kept, and sent again over the next link.
 */
export class Stream {
  readonly key: Buffer
  readonly service: string
  readonly from: string
  readonly hops: number
  readonly #acceptor: string | undefined
  readonly #forget: (id: number | undefined) => void
  readonly #out: Outgoing
  readonly #in: Incoming
  #handler: StreamHandler | undefined
  #onReset: (() => void) | undefined
  #state: StreamState
  /** Whether the far end has accepted the stream, or this end has and is yet to say so. */
  #answer: 'awaited' | 'due' | 'given' = 'awaited'

  /**
   * @param forget called with its number, if it has one, once nothing more is to be said or heard of it
   * @param limit what the far end has said that it takes in, for a stream that it opened
   */
  constructor(
    name: StreamName,
    route: StreamRoute,
    budgets: Budgets,
    forget: (id: number | undefined) => void,
    limit = INITIAL_WINDOW,
  ) {
    this.key = name.key
    this.service = name.service
    this.from = name.from
    this.hops = name.hops
    this.#acceptor = name.acceptor
    this.#state = { name: 'attached', route }
    this.#forget = forget
    this.#out = new Outgoing(limit, budgets.unacked)
    this.#in = new Incoming(budgets.growth)
  }

  /** Eight hex digits to find a connection by in the logs of both ends. */
  get shortId(): string {
    return this.key.toString('hex', 0, 4)
  }

  /** Whether the stream has come to its end here, one way or the other. */
  get isClosed(): boolean {
    return this.#state.name === 'leaving' || this.#state.name === 'over'
  }

  /** Bytes that the far end is not known to have; the end counts as one. */
  get unacknowledged(): number {
    return this.isClosed ? 0 : this.#out.unacknowledged
  }

  /** Where frames may be sent now, if anywhere. */
  get #open(): StreamRoute | undefined {
    return this.#state.name === 'attached' ? this.#state.route : undefined
  }

  /** What came before is handed over at once, be it bytes, the end, or a reset. */
  attach(handler: StreamHandler): void {
    this.#handler = handler
    const { cause } = this.#state
    if (cause) return handler.reset(cause.code, cause.message)
    this.#in.attach(handler)
  }

  /** Has `listener` called if the stream is reset before anyone is attached. */
  onReset(listener: () => void): void {
    this.#onReset = listener
  }

  /** Says yes to a stream that the far end opened. */
  accept(): void {
    if (this.isClosed) return
    this.#answer = 'due'
    this.#sendAnswer()
  }

  /** Says no to a stream that the far end opened. */
  refuse(code: number, message: string): void {
    this.#closeWith((id) => encodeOpenErr(id, code, message))
  }

  /**
   * Sends bytes. All are taken, whatever the answer.
   *
   * @returns false if the caller should wait for `drain` before it writes more
   */
  write(chunk: Buffer): boolean {
    if (this.isClosed || this.#out.isEnding) return false
    this.#out.write(chunk)
    this.#push()
    return !this.#out.isBlocked
  }

  /** Sends the end of this direction, behind all that was written. The other goes on. */
  end(): void {
    if (this.isClosed || this.#out.isEnding) return
    this.#out.end()
    this.#push()
  }

  /** Says that bytes of `data` were handed on, so that the far end may send more. */
  consumed(bytes: number): void {
    if (this.isClosed) return
    this.#in.consumed(bytes)
    this.#announce()
  }

  /** Resets the stream at both ends. */
  reset(code: number, message = ''): void {
    this.#closeWith((id) => encodeRst(id, code, message))
  }

  /** Resets the stream at both ends, and tells whoever is attached here, as if the way between had failed. */
  sever(code: number, message: string): void {
    if (this.isClosed) return
    const cause = { code, message }
    this.#closeWith((id) => encodeRst(id, code, message), cause)
    this.#notifyReset(cause)
  }

  /** Resets the stream here alone. */
  abandon(code: number, message: string): void {
    this.#takeReset({ code, message })
  }

  /** The stream's link is lost. The stream is reset unless another link carries it within the time. */
  detach(withinMs: number, reason: string): void {
    const state = this.#state
    this.#out.unqueue()
    if (state.name === 'attached') {
      const deadline = setTimeout(() => this.abandon(STREAM_CODES.LINK_LOST, reason), withinMs)
      this.#state = { name: 'detached', deadline }
    } else if (state.name === 'resuming') this.#state = { name: 'detached', deadline: state.deadline }
    else if (state.name === 'leaving') this.#state = { ...state, route: undefined }
  }

  /** Goes over to a new link: says where this end stands, and waits to hear where the other does. */
  resume(route: StreamRoute): void {
    const state = this.#state
    if (state.name === 'detached') this.#state = { name: 'resuming', route, deadline: state.deadline }
    else if (state.name === 'leaving') this.#state = { ...state, route }
    else throw new Error(`a stream was resumed that is ${state.name}`)
    const { key, service, hops } = this
    // Whoever has accepted it is the one that comes back for it.
    const acceptor = this.#answer === 'awaited' ? this.#acceptor : undefined
    const from = acceptor ?? this.from
    const isNamed = acceptor !== undefined
    route.link.sendControl(
      encodeResume(route.id, key, this.#position(), service, { from, hops, named: isNamed }),
    )
  }

  /** Takes in a frame of this stream. */
  receive(frame: Frame): void {
    try {
      this.#take(frame)
      this.#closeIfDone()
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error
      this.sever(STREAM_CODES[error.kind], error.message)
    }
  }

  /** Bytes of this stream have left the link's queue. */
  sent(bytes: number): void {
    this.#out.left(bytes)
    this.#push()
  }

  #take(frame: Frame): void {
    if (frame.type === 'rst' || frame.type === 'openErr') return this.#takeReset(frame)
    if (frame.type !== 'openOk') {
      if (this.#state.name === 'resuming') return this.#takePosition(this.#state, frame)
      if (this.#state.name === 'leaving' && this.#state.route)
        return this.#tell(this.#state.route, this.#state.pendingReset, this.#state.cause)
    }
    if (this.isClosed) return
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
    const route = this.#open
    if (!route || !frame.key.equals(this.key))
      throw new StreamViolation('PROTOCOL', 'another stream’s RESUME')
    // Frames that are queued would come behind the answer, and look as if they were sent after it.
    route.link.drop(route.id)
    this.#out.unqueue()
    this.#out.rewind(frame.position)
    route.link.sendControl(encodeResumed(route.id, this.#position()))
    this.#continueFrom(frame.position)
  }

  /** The far end answers our RESUME. */
  #takePosition({ route, deadline }: Extract<StreamState, { name: 'resuming' }>, frame: Frame): void {
    clearTimeout(deadline)
    this.#state = { name: 'attached', route }
    if (frame.type !== 'resumed')
      throw new StreamViolation('PROTOCOL', `a ${frame.type} frame instead of RESUMED`)
    this.#out.rewind(frame.position)
    this.#continueFrom(frame.position)
  }

  #continueFrom({ answered }: Position): void {
    if (answered) this.#opened()
    this.#sendAnswer()
    this.#announce()
    this.#push()
  }

  #sendAnswer(): void {
    const route = this.#open
    if (this.#answer !== 'due' || !route) return
    this.#answer = 'given'
    // What the opener waits for is data, which comes next if any does.
    route.link.sendLazily(encodeOpenOk(route.id, this.#in.limit))
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
    if (this.isClosed) return
    const route = this.#open
    if (!route) this.#out.hold()
    else if (this.#out.push(route)) this.#handler?.drain()
  }

  #announce(): void {
    const route = this.#open
    if (!route) return
    const window = this.#in.announcement()
    if (window) this.#sendWindow(route, encodeWindow(route.id, window.consumed, window.limit))
    this.#closeIfDone()
  }

  /** The far end waits to hear that it may send more, but not that all has arrived. */
  #sendWindow({ link }: StreamRoute, frame: Buffer): void {
    if (this.#in.isDone) link.sendLazily(frame)
    else link.sendControl(frame)
  }

  #closeIfDone(): void {
    if (this.#open && this.#out.isDone && this.#in.isDone) this.#done()
  }

  #done(): void {
    this.#finish()
    this.#handler?.done?.()
  }

  /** The far end, or the way to it, reset the stream. */
  #takeReset({ code, message }: ResetReason): void {
    if (this.#state.name === 'over') return
    if (this.isClosed) return this.#finish()
    // All has arrived here, and been sent: only the far end's last word about that got lost.
    if (this.#in.isDone && this.#out.isFinished && LINK_LOST_CODES.has(code)) return this.#done()
    const cause = { code, message }
    this.#finish(cause)
    this.#notifyReset(cause)
  }

  #notifyReset({ code, message }: ResetReason): void {
    if (this.#handler) this.#handler.reset(code, message)
    else this.#onReset?.()
  }

  /** Ends the stream here, and tells the far end, now or once a link carries it again. */
  #closeWith(pendingReset: PendingReset, cause?: ResetReason): void {
    const state = this.#state
    if (state.name === 'attached') this.#tell(state.route, pendingReset, cause)
    else if (state.name === 'detached' || state.name === 'resuming') {
      const { route, deadline } = state
      this.#state = { name: 'leaving', route, deadline, pendingReset, cause }
      this.#release()
    }
  }

  #tell({ link, id }: StreamRoute, pendingReset: PendingReset, cause: ResetReason | undefined): void {
    link.sendControl(pendingReset(id))
    this.#finish(cause)
  }

  #finish(cause?: ResetReason): void {
    const { route, deadline } = this.#state
    this.#state = { name: 'over', cause }
    clearTimeout(deadline)
    this.#release()
    route?.link.drop(route.id)
    this.#forget(route?.id)
  }

  #release(): void {
    this.#out.clear()
    this.#in.close()
  }
}
