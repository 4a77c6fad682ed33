import type { LinkFrame } from '../../tunnel/link/link.ts'
import { GOAWAY_CODES, STREAM_CODES } from '../../tunnel/protocol/codes.ts'
import { encodeResume, encodeResumed } from '../../tunnel/protocol/encode.ts'
import { TYPE, type Position } from '../../tunnel/protocol/frames.ts'
import { INITIAL_WINDOW } from '../../tunnel/protocol/window-size.ts'
import { SendWindow } from '../../tunnel/stream/send-window.ts'
import { StreamViolation } from '../../tunnel/stream/stream-violation.ts'
import type { Endpoint, RelayedStream } from './relayed-stream.ts'
import type { RelayedStreams } from './relayed-streams.ts'
import type { ServiceResolver } from './service-resolver.ts'
import { SwitchPort } from './switch-port.ts'

type Resume = Extract<LinkFrame, { type: 'resume' }>

/** Where an end stands that has not heard of the stream yet. */
const BEGINNING: Position = { received: 0, consumed: 0, limit: INITIAL_WINDOW, ended: false, answered: false }

/** GOAWAYs after which the process comes back, and its streams go on. */
const RETURNS = new Set<number | undefined>([undefined, GOAWAY_CODES.REPLACED])

/** Whether the end could come over this link alone: of its process, or of the one in its place. */
function isPast(end: Endpoint, port: SwitchPort): boolean {
  const isPredecessors = port.isServing && end.isServing && end.agent?.id === port.agent.id
  return end.process === port.process || isPredecessors
}

/** How streams outlive their links: ends that come back say where they stand, and are joined again. */
export class Resumption {
  readonly #streams: RelayedStreams
  readonly #resolver: ServiceResolver
  readonly #open: (stream: RelayedStream, target: SwitchPort, limit: number) => void

  /** @param open sends an acceptor the OPEN of a stream */
  constructor(
    streams: RelayedStreams,
    resolver: ServiceResolver,
    open: (stream: RelayedStream, target: SwitchPort, limit: number) => void,
  ) {
    this.#streams = streams
    this.#resolver = resolver
    this.#open = open
  }

  /** @param code of the GOAWAY that ended the link, if one did */
  linkLost(port: SwitchPort, code: number | undefined): void {
    for (const end of port.ends.values()) {
      if (RETURNS.has(code)) this.#streams.suspend(end)
      else this.#streams.reset(end.stream, STREAM_CODES.LINK_LOST, 'the other agent’s link was lost')
    }
    port.ends.clear()
  }

  /** An end is back. */
  resume(port: SwitchPort, frame: Resume): void {
    const isOpener = frame.from === '' || frame.named === true
    const from = isOpener ? port.agent.id : frame.from
    const known = this.#streams.find(frame.key)
    if (known?.pendingReset && this.#isTheirs(known, port)) {
      port.refuse(frame.stream, false, known.pendingReset.code, known.pendingReset.message)
      return this.#streams.forget(known)
    }
    const named = frame.named ? frame.from : undefined
    const stream = known ?? this.#streams.create(frame.key, frame.service, from, frame.hops, named)
    const end = isOpener ? stream.opener : stream.acceptor
    const isSame = stream.from === from && stream.service === frame.service && !stream.pendingReset
    if (!isSame || end.state !== 'lost' || (end.process ?? port.process) !== port.process) {
      return port.refuse(frame.stream, false, STREAM_CODES.STREAM_UNKNOWN, 'this link has no such stream')
    }
    this.#streams.attach(end, port, frame.stream)
    if (frame.position.answered) this.#streams.answered(stream)
    end.state = 'returned'
    end.position = frame.position
    this.#rejoin(end)
  }

  /** An end that was asked where it stands has answered. */
  resumed(end: Endpoint, position: Position): void {
    if (end.state !== 'asked') throw new StreamViolation('PROTOCOL', 'a RESUMED that nobody waits for')
    if (--end.asked > 0) return
    end.state = 'flowing'
    end.position = position
    if (position.answered) this.#streams.answered(end.stream)
    if (end.other.state === 'returned') this.#settle(end.stream)
    else if (end.other.state === 'lost') this.#offer(end.stream, end.told === BEGINNING)
  }

  /** The process has told of all its streams: it has no others. */
  ready(port: SwitchPort): void {
    port.isReady = true
    for (const end of this.#streams.lostOf(port.agent.id)) if (isPast(end, port)) this.#giveUpOn(end)
    this.offerTo(port)
  }

  /** Offers the agent of a port that is ready the streams that wait for its services. */
  offerTo({ agent, isReady }: SwitchPort): void {
    if (!isReady) return
    for (const service of this.#resolver.servicesOf(agent))
      for (const stream of this.#streams.unserved(service)) this.#offer(stream)
  }

  #giveUpOn(end: Endpoint): void {
    const { stream } = end
    if (stream.pendingReset) return this.#streams.forget(stream)
    if (stream.answered || end.isOpener) {
      return this.#streams.reset(stream, STREAM_CODES.STREAM_UNKNOWN, 'the other agent has no such stream')
    }
    // The OPEN was lost with the link.
    this.#streams.disown(end)
    this.#offer(stream)
  }

  #isTheirs({ ends }: RelayedStream, port: SwitchPort): boolean {
    return ends.some(({ state, process }) => state === 'lost' && process === port.process)
  }

  #rejoin(end: Endpoint): void {
    const { stream, other } = end
    const { opener, acceptor, service } = stream
    if (opener.agent && acceptor.agent && !this.#resolver.mayReach(opener.agent, service, acceptor.agent)) {
      return this.#streams.reset(
        stream,
        STREAM_CODES.SERVICE_UNKNOWN,
        `"${service}" is not offered there any more`,
      )
    }
    if (other.state === 'returned') this.#settle(stream)
    else if (other.state === 'lost') this.#offer(stream)
    else this.#ask(other, end.position!)
  }

  /** Has an end that kept its link go back to where the other one stands, and say where it stands. */
  #ask(end: Endpoint, position: Position): void {
    const { stream } = end
    const { link } = end.port!
    // Frames that are queued would reach the end behind the question, and not be in its answer.
    link.drop(end.number)
    // A RESUME that has not gone out yet is replaced by this one.
    if (!link.hasWaiting(TYPE.RESUME, end.number)) end.asked++
    link.sendControl(encodeResume(end.number, stream.key, position, stream.service, { from: stream.from }))
    end.state = 'asked'
    end.told = position
  }

  /** Both ends have said where they stand, and go on from there. */
  #settle(stream: RelayedStream): void {
    for (const end of stream.ends) {
      const position = end.other.position!
      end.window = SendWindow.at(position)
      end.held = false
      if (end.state === 'returned') end.port!.link.sendControl(encodeResumed(end.number, position))
      end.state = 'flowing'
    }
    if (stream.ends.every(({ window }) => window.done)) this.#streams.forget(stream)
  }

  /**
   * Sends again the OPEN of a stream that nobody has answered: its acceptor has never heard of the stream.
   *
   * @param isAtBeginning the opener has just gone back to the beginning
   */
  #offer(stream: RelayedStream, isAtBeginning = false): void {
    const { opener, acceptor, service } = stream
    if (stream.answered || acceptor.agent || !opener.port || opener.state === 'asked') return
    const target = this.#resolver.resolve(opener.agent!, service, stream.named)
    if (!(target instanceof SwitchPort) && target.code === STREAM_CODES.OTHER_AGENT)
      return this.#streams.reset(stream, target.code, target.message)
    // Otherwise the stream waits for the service's agent to come back, or for its time to be over.
    if (!(target instanceof SwitchPort) || !target.isReady) return
    const why = target.whyFullFor(stream.from)
    if (why !== undefined) return this.#streams.reset(stream, STREAM_CODES.LIMIT, why)
    if (opener.state === 'flowing' && !isAtBeginning) return this.#ask(opener, BEGINNING)
    this.#open(stream, target, opener.position!.limit)
    acceptor.position = BEGINNING
    this.#settle(stream)
  }
}
