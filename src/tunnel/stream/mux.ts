import { Budget } from '../bounds/budget.ts'
import { RecentKeys } from '../bounds/recent-keys.ts'
import type { Link, LinkFrame } from '../link/link.ts'
import { GOAWAY_CODES, STREAM_CODES } from '../protocol/codes.ts'
import { encodeOpen, encodeOpenErr, encodeRst } from '../protocol/encode.ts'
import { MAX_STREAMS, MAX_LOST_STREAMS, RESUME_MS, UNACKED_BUDGET_BYTES } from '../protocol/limits.ts'
import { randomStreamKey } from '../protocol/stream-key.ts'
import { GROWTH_BUDGET_BYTES, INITIAL_WINDOW } from '../protocol/window-size.ts'
import { StreamNumbers } from './stream-numbers.ts'
import { Stream, type Budgets, type StreamName } from './stream.ts'

export interface MuxHandler {
  /** The far end opens a stream: attach, then accept or refuse it. */
  open(stream: Stream): void
  ctrl(message: unknown): void
  goaway(code: number, afterMs: number, message: string): void
  closed(reason: string): void
}

type StreamFrame = Exclude<LinkFrame, { type: 'ctrl' | 'goaway' | 'open' }>

/** An agent's end of its links to the hub, one after the other: its streams, which outlive them. */
export class Mux {
  readonly #handler: MuxHandler
  readonly #resumeMs: number
  /** All ends of streams that are not over: both, of one to a service of this very agent. */
  readonly #streams = new Map<string, Stream>()
  /** The streams on the link that is up, by their numbers there. */
  #numbered = new Map<number, Stream>()
  #numbers = new StreamNumbers('agent')
  /** Streams of others that are over: an opener who has not heard so must not open one of them again. */
  readonly #over = new RecentKeys(MAX_LOST_STREAMS)
  readonly #budgets: Budgets = {
    unacked: new Budget(UNACKED_BUDGET_BYTES),
    growth: new Budget(GROWTH_BUDGET_BYTES),
  }
  #link: Link | undefined

  /** @param options.resumeMs how long a stream waits for another link, default 30 s */
  constructor(handler: MuxHandler, options: { resumeMs?: number } = {}) {
    this.#handler = handler
    this.#resumeMs = options.resumeMs ?? RESUME_MS
  }

  get streamCount(): number {
    return this.#streams.size
  }

  /** The streams to a service of that name that this end has opened, or those that others have. */
  streamsTo(service: string, openedBy: 'this end' | 'others'): Stream[] {
    const isOurs = openedBy === 'this end'
    return [...this.#streams.values()].filter(
      (stream) => stream.service === service && (stream.from === '') === isOurs && !stream.isClosed,
    )
  }

  /** Bytes that are kept to be sent again, and those that windows have grown by. */
  get bytesHeld(): { unacked: number; growth: number } {
    return { unacked: this.#budgets.unacked.used, growth: this.#budgets.growth.used }
  }

  /** Goes on over a new link: tells first of the streams that have lost theirs. */
  connect(link: Link): void {
    this.#link = link
    this.#numbers = new StreamNumbers('agent')
    for (const stream of this.#streams.values()) {
      const id = this.#numbers.next((number) => this.#numbered.has(number))
      this.#numbered.set(id, stream)
      stream.resume({ link, id })
    }
    link.attach({
      frame: (frame) => this.#frame(link, frame),
      sent: (stream, bytes) => this.#numbered.get(stream)?.sent(bytes),
      closed: (reason, code) => {
        this.#lose(reason, code)
        this.#handler.closed(reason)
      },
    })
  }

  /**
   * Opens a stream to a service. It may be written to at once; `opened` or `reset` tells what came of it.
   *
   * @param hops how many streams the connection has come through before, as far as this end knows; default 0
   * @param acceptor the agent that alone may accept it, for a hub that sees to that; default whoever has the
   * service
   */
  open(service: string, hops = 0, acceptor?: string): Stream {
    const link = this.#link
    if (!link) throw new Error('a stream was opened without a link')
    const id = this.#numbers.next((number) => this.#numbered.has(number))
    const key = randomStreamKey()
    const stream = this.#add(link, id, { key, service, from: '', hops, acceptor })
    const isNamed = acceptor !== undefined
    link.sendControl(
      encodeOpen(id, key, INITIAL_WINDOW, service, { from: acceptor ?? '', hops, named: isNamed }),
    )
    return stream
  }

  /** Resets all streams: this end will not come back for them. */
  abandon(reason: string): void {
    for (const stream of this.#streams.values()) stream.abandon(STREAM_CODES.LINK_LOST, reason)
  }

  #lose(reason: string, code: number | undefined): void {
    this.#link = undefined
    this.#numbered = new Map()
    for (const stream of this.#streams.values()) stream.detach(this.#resumeMs, reason)
    // The hub has forgotten the streams of whoever was told to go, or broke the protocol.
    if (code !== undefined && code !== GOAWAY_CODES.SHUTDOWN && code !== GOAWAY_CODES.REPLACED)
      this.abandon(reason)
  }

  #add(link: Link, id: number, name: StreamName, limit?: number): Stream {
    const key = keyOf(name)
    const forget = (number: number | undefined) => {
      this.#streams.delete(key)
      if (name.from !== '') this.#over.add(key)
      if (number !== undefined) this.#numbered.delete(number)
    }
    const stream = new Stream(name, { link, id }, this.#budgets, forget, limit)
    this.#streams.set(key, stream)
    this.#numbered.set(id, stream)
    return stream
  }

  #frame(link: Link, frame: LinkFrame): void {
    switch (frame.type) {
      case 'ctrl': {
        this.#handler.ctrl(frame.message)
        break
      }
      case 'goaway': {
        this.#handler.goaway(frame.code, frame.afterMs, frame.message)
        break
      }
      case 'open': {
        this.#accept(link, frame)
        break
      }
      default: {
        const stream = this.#numbered.get(frame.stream)
        if (stream) stream.receive(frame)
        else stray(link, frame)
      }
    }
  }

  #accept(link: Link, frame: Extract<LinkFrame, { type: 'open' }>): void {
    const { stream: id } = frame
    if (!this.#numbers.isPeers(id) || this.#numbered.has(id)) {
      return link.close(GOAWAY_CODES.PROTOCOL, `OPEN for stream ${id}`)
    }
    const refuse = (code: number, why: string) => link.sendControl(encodeOpenErr(id, code, why))
    const key = keyOf(frame)
    if (this.#streams.has(key) || this.#over.has(key))
      return refuse(STREAM_CODES.STREAM_UNKNOWN, 'this stream is over')
    if (this.#streams.size >= MAX_STREAMS)
      return refuse(STREAM_CODES.LIMIT, `${MAX_STREAMS} streams are open`)
    this.#handler.open(this.#add(link, id, frame, frame.limit))
  }
}

/** One end of a stream. */
function keyOf({ key, from }: Pick<StreamName, 'key' | 'from'>): string {
  return `${from === '' ? 'opener' : 'acceptor'} ${key.toString('latin1')}`
}

/** Answers a frame for a stream that is not here, often one that just ended. */
function stray(link: Link, frame: StreamFrame): void {
  // An RST is not answered, or two ends could go on for ever.
  if (frame.type === 'data' || frame.type === 'fin' || frame.type === 'resume')
    link.sendControl(encodeRst(frame.stream, STREAM_CODES.STREAM_UNKNOWN))
}
