import { giveBack, isPiece } from '../../memory/pieces.ts'
import { beginWork } from '../../runtime/adapt-to-load.ts'
import { compact } from '../../tunnel/bounds/compact.ts'
import type { Link, LinkFrame } from '../../tunnel/link/link.ts'
import { GOAWAY_CODES, STREAM_CODES } from '../../tunnel/protocol/codes.ts'
import { encodeOpen, encodeRst, encodeWindow, renumber } from '../../tunnel/protocol/encode.ts'
import { NAMED } from '../../tunnel/protocol/frames.ts'
import type { Role } from '../../tunnel/protocol/handshake.ts'
import {
  LINK_BACKLOG_LOW_BYTES,
  MAX_HOPS,
  MAX_PENDING_OPENS,
  MAX_STREAMS,
  OPEN_TIMEOUT_MS,
} from '../../tunnel/protocol/limits.ts'
import type { Message } from '../../tunnel/protocol/message.ts'
import { SendWindow } from '../../tunnel/stream/send-window.ts'
import { StreamViolation } from '../../tunnel/stream/stream-violation.ts'
import { AgentQuotas, type BacklogLimits } from './agent-quotas.ts'
import type { AgentRef } from './agent-ref.ts'
import type { Endpoint, RelayedStream } from './relayed-stream.ts'
import { RelayedStreams } from './relayed-streams.ts'
import { Resumption } from './resumption.ts'
import type { ServiceResolver, Unreachable } from './service-resolver.ts'
import { SwitchPort } from './switch-port.ts'

type SwitchedFrame = Exclude<LinkFrame, { type: 'ctrl' | 'goaway' }>
type Open = Extract<SwitchedFrame, { type: 'open' }>
type StreamFrame = Exclude<SwitchedFrame, { type: 'open' | 'resume' }>

export interface SwitchOptions extends BacklogLimits {
  /** Default 15 s. */
  readonly openTimeoutMs?: number | undefined
  /** How long an end may be without a link, default 30 s. */
  readonly resumeMs?: number | undefined
}

/**
 * Passes frames from link to link. The switch keeps two numbers a direction and no bytes of its own: a frame
 * is renumbered where it lies and queued at the other link.
 */
export class Switch {
  readonly #resolver: ServiceResolver
  readonly #openTimeoutMs: number
  readonly #quotas: AgentQuotas
  readonly #streams: RelayedStreams
  readonly #resumption: Resumption

  constructor(resolver: ServiceResolver, options: SwitchOptions = {}) {
    this.#resolver = resolver
    this.#quotas = new AgentQuotas(options)
    this.#openTimeoutMs = options.openTimeoutMs ?? OPEN_TIMEOUT_MS
    this.#streams = new RelayedStreams(options.resumeMs)
    this.#resumption = new Resumption(this.#streams, resolver, (stream, target, limit) =>
      this.#connect(stream, target, limit),
    )
  }

  /** How many streams there are, those included that wait for a link. */
  get size(): number {
    return this.#streams.size
  }

  /** Gives a link a port. @param from the process at its far end */
  add(link: Link, agent: AgentRef, from: { link: string; role: Role }): SwitchPort {
    const port = new SwitchPort(link, agent, this.#quotas.of(agent.id), from)
    this.#quotas.add(port)
    return port
  }

  /** Takes in a frame of one of the port's streams, or one that brings a stream. */
  frame(port: SwitchPort, frame: SwitchedFrame, message: Message): void {
    this.#take(port, frame, message)
    for (let behind; (behind = this.#quotas.portToShed);) this.#shed(behind)
  }

  /** What waits for the port's link has grown, or shrunk, by so many bytes. */
  waiting(port: SwitchPort, bytes: number): void {
    this.#quotas.changed(port, bytes)
  }

  #take(port: SwitchPort, frame: SwitchedFrame, message: Message): void {
    if (frame.type === 'open') return this.#open(port, frame, message)
    if (frame.type === 'resume') return this.#resume(port, frame)
    const end = port.ends.get(frame.stream)
    if (!end) return stray(port, frame)
    try {
      this.#forward(port, end, frame, message)
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error
      this.#streams.reset(end.stream, STREAM_CODES[error.kind], error.message)
    }
  }

  /** The process has told of all streams that it still has. */
  ready(port: SwitchPort): void {
    this.#resumption.ready(port)
  }

  /** The port's agent may have more services than before. */
  offered(port: SwitchPort): void {
    this.#resumption.offerTo(port)
  }

  /**
   * The port's link is gone. Its streams wait for another one, unless its process has said goodbye.
   *
   * @param code of the GOAWAY that ended the link, if one did
   */
  closed(port: SwitchPort, code?: number): void {
    this.#quotas.remove(port)
    this.#resumption.linkLost(port, code)
  }

  /** The port's backlog is short again: whoever sends to it may go on. */
  relieved(port: SwitchPort): void {
    for (const { other: sender } of port.ends.values()) if (sender.held) this.#tellWindow(sender)
  }

  /** @returns whether a stream may come under this number */
  #admits(port: SwitchPort, number: number, type: string): boolean {
    if (port.numbers.isPeers(number) && !port.ends.has(number)) return true
    port.link.close(GOAWAY_CODES.PROTOCOL, `${type} for stream ${number}`)
    return false
  }

  #resume(port: SwitchPort, frame: Extract<SwitchedFrame, { type: 'resume' }>): void {
    if (!this.#admits(port, frame.stream, 'RESUME')) return
    if (port.ends.size < MAX_STREAMS) return this.#resumption.resume(port, frame)
    port.refuse(frame.stream, false, STREAM_CODES.LIMIT, `this link has ${MAX_STREAMS} streams open`)
  }

  #open(port: SwitchPort, open: Open, { chunks }: Message): void {
    beginWork()
    const { stream: number, key, service, hops } = open
    if (!this.#admits(port, number, 'OPEN')) return
    const refuse = (code: number, message: string) => port.refuse(number, true, code, message)
    if (hops > MAX_HOPS) {
      return refuse(STREAM_CODES.LOOP, `the connection has come through ${hops} services: it goes in a loop`)
    }
    if (port.ends.size >= MAX_STREAMS)
      return refuse(STREAM_CODES.LIMIT, `this link has ${MAX_STREAMS} streams open`)
    if (port.quota.hasGivenUpTooMany()) {
      return refuse(STREAM_CODES.LIMIT, 'too many streams were given up before they were answered')
    }
    if (port.pendingOpens >= MAX_PENDING_OPENS) {
      return refuse(STREAM_CODES.LIMIT, `${MAX_PENDING_OPENS} streams are waiting to be opened`)
    }
    const named = open.named ? open.from : undefined
    const target = this.#resolver.resolve(port.agent, service, named)
    const why = this.#whyNot(target, port.agent.id)
    if (why) return refuse(why.code, why.message)
    if (this.#streams.find(key)) return refuse(STREAM_CODES.PROTOCOL, 'the key of another stream')
    const flags = chunks[0]![1]! & ~NAMED
    const stream = this.#streams.create(key, service, port.agent.id, flags, named)
    this.#streams.attach(stream.opener, port, number)
    if (target instanceof SwitchPort) this.#connect(stream, target, open.limit)
    else this.#streams.awaitAnswer(stream, this.#openTimeoutMs, target)
  }

  /** @returns why a stream can neither be opened there nor wait for it */
  #whyNot(target: SwitchPort | Unreachable, from: string): Unreachable | undefined {
    if (!(target instanceof SwitchPort)) return target.isExpected ? undefined : target
    const message = target.whyFullFor(from)
    return message === undefined ? undefined : { code: STREAM_CODES.LIMIT, message }
  }

  /** Sends the acceptor the OPEN. */
  #connect(stream: RelayedStream, target: SwitchPort, limit: number): void {
    const { key, service, from, flags, acceptor } = stream
    this.#streams.attach(acceptor, target, target.nextNumber())
    acceptor.window = new SendWindow(limit)
    this.#streams.awaitAnswer(stream, this.#openTimeoutMs, {
      code: STREAM_CODES.TIMEOUT,
      message: 'the service’s agent did not answer',
    })
    const frame = encodeOpen(acceptor.number, key, limit, service, { from })
    frame[1] = flags
    target.link.sendControl(frame)
  }

  #forward(port: SwitchPort, end: Endpoint, frame: StreamFrame, message: Message): void {
    const { other, stream } = end
    // Otherwise the frame is sent again, or told anew, once both ends know where the other stands.
    const { flows } = stream
    const passOn = () => other.port?.link.sendControl(compact(renumber(message.chunks[0]!, other.number)))
    switch (frame.type) {
      case 'data': {
        if (!flows) break
        end.window.send(frame.bytes)
        this.#passData(end, message)
        break
      }
      case 'fin': {
        if (!flows) break
        end.window.finish(frame.offset)
        this.#passData(end, message)
        break
      }
      case 'window': {
        if (!flows || !other.window.update(frame.consumed, frame.limit)) break
        // The far end keeps the window it has while our link to this one can't keep up.
        if (port.link.isBackedUp) other.held = true
        else this.#tellWindow(other)
        break
      }
      case 'openOk': {
        if (end.isOpener || stream.answered)
          throw new StreamViolation('PROTOCOL', 'an OPEN_OK that nobody waits for')
        this.#streams.answered(stream)
        other.window.update(0, frame.limit)
        passOn()
        break
      }
      case 'resumed': {
        this.#resumption.resumed(end, frame.position)
        break
      }
      case 'openErr':
      case 'rst': {
        if (frame.type === 'openErr' && (end.isOpener || stream.answered))
          throw new StreamViolation('PROTOCOL', 'an OPEN_ERR that nobody waits for')
        if (end.isOpening) port.quota.gaveUp()
        passOn()
        this.#streams.onReset(stream, frame.code, frame.message)
        break
      }
    }
  }

  #passData(end: Endpoint, { chunks, bytes }: Message): void {
    const { other } = end
    const { link } = other.port!
    renumber(chunks[0]!, other.number)
    // The frame will wait for long: its memory has to be what is counted for it.
    const share = link.backlog > LINK_BACKLOG_LOW_BYTES ? 0.75 : undefined
    const passed = chunks.map((chunk) => compact(chunk, share))
    const sent = passed.some(isPiece) ? () => passed.forEach(giveBack) : undefined
    link.sendData(other.number, { chunks: passed, bytes, sent })
  }

  /** Resets the stream that has most waiting for a link, or ends the link if nothing but control waits. */
  #shed(port: SwitchPort): void {
    const number = port.link.largestStream
    if (number === undefined) return port.link.terminate('the peer does not read')
    const end = port.ends.get(number)
    if (end) this.#streams.reset(end.stream, STREAM_CODES.LIMIT, 'the receiving link is too far behind')
    else port.link.drop(number)
  }

  #tellWindow(sender: Endpoint): void {
    sender.held = false
    sender.port?.link.sendControl(encodeWindow(sender.number, sender.window.acked, sender.window.limit))
    // Both ends must know; the other one's news may still be held back.
    if (sender.stream.ends.every(({ window, held }) => window.done && !held))
      this.#streams.forget(sender.stream)
  }
}

/** A frame for a stream that the link doesn’t have, often one just reset. It touches no other stream. */
function stray(port: SwitchPort, frame: StreamFrame): void {
  port.strays++
  // Only what shows that the peer takes the stream to be alive: two ends must not answer each other for ever.
  if (frame.type === 'data' || frame.type === 'fin') {
    port.link.sendControl(encodeRst(frame.stream, STREAM_CODES.STREAM_UNKNOWN))
  }
}
