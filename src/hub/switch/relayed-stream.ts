import type { Link } from '../../tunnel/link/link.ts'
import type { Position } from '../../tunnel/protocol/frames.ts'
import { SendWindow } from '../../tunnel/stream/send-window.ts'
import type { AgentRef } from './agent-ref.ts'

/**
 * How an end of a stream stands to its link:
 * - `flowing`: what it sends may be passed on;
 * - `asked`: the other end is back, and this one has yet to say where it stands: all that it sends is old;
 * - `returned`: it is back on a new link, has said where it stands, and is silent until the other one has;
 * - `lost`: it has no link.
 */
export type EndpointState = 'flowing' | 'asked' | 'returned' | 'lost'

/** The switch port that an end is at, as far as a stream knows it. */
export interface EndpointPort {
  readonly link: Link
  /** Another of the port's own streams was answered. */
  answered(): void
  /** The end is at the port no longer. */
  detach(end: Endpoint): void
  /** Tells the peer that a stream was reset, or, if it is opening, was never opened. */
  refuse(number: number, isOpening: boolean, code: number, message: string): void
}

/** One end of a stream that passes through: a number on a port, and what this end may send. */
export class Endpoint {
  readonly stream: RelayedStream
  /** Undefined while the end has yet to come back to a hub that was restarted. */
  agent: AgentRef | undefined
  /** The process that alone may come back for the end. */
  process: string | undefined
  /** That process is its agent's one that serves: when another serves in its place, it is gone. */
  isServing = false
  port: EndpointPort | undefined
  number = 0
  state: EndpointState = 'lost'
  /** How many RESUMEs this end has yet to answer. */
  asked = 0
  /** Where this end stood when it said so last. */
  position: Position | undefined
  window = new SendWindow()
  /** Where this end was told last, by RESUME, that the other one stands. */
  told: Position | undefined
  /** This end is not yet told how far its window has come: the other end's link is backed up. */
  held = false

  constructor(stream: RelayedStream) {
    this.stream = stream
  }

  get isOpener(): boolean {
    return this.stream.opener === this
  }

  get other(): Endpoint {
    return this.isOpener ? this.stream.acceptor : this.stream.opener
  }

  /** Whether this end has sent OPEN, and nobody has answered. */
  get isOpening(): boolean {
    return this.isOpener && !this.stream.answered
  }
}

/** A stream as it passes through the hub. */
export class RelayedStream {
  readonly key: Buffer
  readonly service: string
  readonly opener = new Endpoint(this)
  readonly acceptor = new Endpoint(this)
  /** The agent that opened the stream: the opener's end comes from nobody else. */
  readonly from: string
  /** The flags of its OPEN, handed on: by how many services the stream has come (see MAX_HOPS). */
  readonly flags: number
  /** The agent that alone may accept it; undefined for whoever has the service. */
  readonly named: string | undefined
  /** The acceptor has said yes. */
  answered = false
  /** Ends the wait for the acceptor's answer. */
  answerTimer: NodeJS.Timeout | undefined
  /** Ends the wait for an end that is lost. */
  returnTimer: NodeJS.Timeout | undefined
  /** The reset that an end which is lost has yet to hear of. */
  pendingReset: { readonly code: number; readonly message: string } | undefined

  constructor(key: Buffer, service: string, from: string, flags: number, named?: string) {
    this.flags = flags
    this.named = named
    this.from = from
    this.key = key
    this.service = service
  }

  get ends(): readonly [Endpoint, Endpoint] {
    return [this.opener, this.acceptor]
  }

  /** What either end sends may be passed on: both know where the other stands. */
  get flows(): boolean {
    return this.opener.state === 'flowing' && this.acceptor.state === 'flowing'
  }
}
