import { FairShares } from '../../tunnel/bounds/fair-shares.ts'
import type { Link } from '../../tunnel/link/link.ts'
import { Pace } from '../../tunnel/link/pace.ts'
import { encodeOpenErr, encodeRst } from '../../tunnel/protocol/encode.ts'
import type { Position } from '../../tunnel/protocol/frames.ts'
import type { Role } from '../../tunnel/protocol/handshake.ts'
import { MAX_GIVEN_UP, MAX_STREAMS } from '../../tunnel/protocol/limits.ts'
import { SendWindow } from '../../tunnel/stream/send-window.ts'
import { StreamNumbers } from '../../tunnel/stream/stream-numbers.ts'

/**
 * How an end of a stream stands to its link:
 * - `flowing`: what it sends may be passed on;
 * - `asked`: the other end is back, and this one has yet to say where it stands. What it sends until then is old;
 * - `waiting`: it is back on a new link, has said where it stands, and sends nothing until it hears of the other;
 * - `lost`: it has no link.
 */
export type EndpointState = 'flowing' | 'asked' | 'waiting' | 'lost'

/** One end of a stream that passes through: a number on a port, and what this end may send. */
export class Endpoint {
  readonly stream: RelayedStream
  /** Undefined of one that has yet to come back to a hub that was restarted. */
  agent: Owner | undefined
  /** The process that alone may come back for it. */
  process: string | undefined
  port: SwitchPort | undefined
  number = 0
  state: EndpointState = 'lost'
  /** How many RESUMEs it has yet to answer. */
  asked = 0
  /** Where it stood when it said so last. */
  position: Position | undefined
  window = new SendWindow()
  /** Where it was told last, by RESUME, that the other end stands. */
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
  /** The agent that opened it: its end comes from nobody else. */
  readonly from: string
  /** Those of its OPEN: the two agents' business. */
  readonly flags: number
  /** The acceptor has said yes. */
  answered = false
  /** Ends the wait for that. */
  answerTimer: NodeJS.Timeout | undefined
  /** Ends the wait for an end that is lost. */
  returnTimer: NodeJS.Timeout | undefined
  /** The reset that an end which is lost has yet to hear of. */
  pendingReset: { readonly code: number; readonly message: string } | undefined

  constructor(key: Buffer, service: string, from: string, flags: number) {
    this.flags = flags
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

/** Whose a link is. */
export interface Owner {
  readonly id: string
  readonly workspace: string
}

/** A link's place at the switch. */
export class SwitchPort {
  readonly agent: Owner
  readonly account: Account
  /** The process at the far end, which keeps this name when it comes back on another connection. */
  readonly process: string
  readonly link: Link
  readonly ends = new Map<number, Endpoint>()
  /** Which agents have opened the streams that it has accepted, or is to accept. */
  readonly openers = new FairShares()
  readonly numbers = new StreamNumbers('hub')
  /** Frames for streams that this link doesn't have. */
  strays = 0
  /** Of its own streams, those that wait for an answer. */
  pendingOpens = 0
  /** The process has told of all streams that it had on its link before. */
  isReady = false

  /** The link is of its agent's one process that serves, and not of a client beside it. */
  readonly isServing: boolean

  /** @param account its agent's, which it becomes part of */
  constructor(link: Link, agent: Owner, account: Account, from: { link: string; role: Role }) {
    this.link = link
    this.agent = agent
    this.account = account
    account.ports.add(this)
    this.process = `${agent.id}/${from.link}`
    this.isServing = from.role === 'agent'
  }

  /** @returns why this agent may not open another stream to it; undefined if it may */
  whyFullFor(agent: string): string | undefined {
    const free = MAX_STREAMS - this.ends.size
    if (free <= 0) return `the service’s agent has ${MAX_STREAMS} streams open`
    if (this.link.isBehind) return 'the link of the service’s agent is too far behind'
    if (this.openers.mayAcquire(agent, free)) return undefined
    return `this machine has ${this.openers.of(agent)} of ${MAX_STREAMS} streams of the service’s agent; the rest is for others`
  }

  nextNumber(): number {
    return this.numbers.next((number) => this.ends.has(number))
  }

  /** Tells that a stream is broken, or was never opened. */
  refuse(number: number, isOpening: boolean, code: number, message: string): void {
    const encode = isOpening ? encodeOpenErr : encodeRst
    this.link.sendControl(encode(number, code, message))
  }
}

/** What the links of one agent cost the hub and others, together: their number must be of no use. */
export class Account {
  readonly agent: string
  readonly ports = new Set<SwitchPort>()
  readonly pace = new Pace()
  /** What waits for all its links costs so many bytes. */
  waiting = 0
  /** Since its last link is gone. */
  forgetting: NodeJS.Timeout | undefined
  #givenUp = 0
  #countedAt = performance.now()

  constructor(agent: string) {
    this.agent = agent
  }

  /** The link for which most waits. */
  get largestPort(): SwitchPort | undefined {
    let largest: SwitchPort | undefined
    for (const port of this.ports) if (port.link.backlog > (largest?.link.backlog ?? 0)) largest = port
    return largest
  }

  /** The agent has given up a stream that was not answered: someone has begun to dial for nothing. */
  abandoned(now = performance.now()): void {
    this.#givenUp = this.#outstanding(now) + 1
    this.#countedAt = now
  }

  /** Whether the agent has given up too many of late to open another stream now. */
  isOverQuota(now = performance.now()): boolean {
    return this.#outstanding(now) >= MAX_GIVEN_UP
  }

  /** Those that were given up, less what a second makes up for. */
  #outstanding(now: number): number {
    return Math.max(0, this.#givenUp - (MAX_GIVEN_UP * (now - this.#countedAt)) / 1000)
  }
}
