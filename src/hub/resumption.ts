import { GOAWAY_CODES, STREAM_CODES } from '../tunnel/codes.ts'
import { encodeResume, encodeResumed } from '../tunnel/encode.ts'
import { TYPE, type Position } from '../tunnel/frames.ts'
import { INITIAL_WINDOW } from '../tunnel/limits.ts'
import type { LinkFrame } from '../tunnel/link.ts'
import { SendWindow } from '../tunnel/send-window.ts'
import { StreamViolation } from '../tunnel/stream-violation.ts'
import type { Directory } from './directory.ts'
import type { End, Passage } from './passage.ts'
import type { Passages } from './passages.ts'
import { SwitchPort } from './switch-port.ts'

type Resume = Extract<LinkFrame, { type: 'resume' }>

/** Where an end stands that has not yet heard of the stream. */
const BEGINNING: Position = { received: 0, consumed: 0, limit: INITIAL_WINDOW, ended: false, answered: false }

/** GOAWAYs after which the process comes back, and its streams go on. */
const RETURNS = new Set<number | undefined>([undefined, GOAWAY_CODES.REPLACED])

/** Whether the end could only come over this link: it had it before, or its process has ended and left this one its place. */
function isPast(end: End, port: SwitchPort): boolean {
  const isPredecessors = port.isServing && !end.isOpener && end.agent?.id === port.agent.id
  return end.process === port.process || isPredecessors
}

/** How streams outlive their links: ends that come back say where they stand, and are joined again. */
export class Resumption {
  readonly #passages: Passages
  readonly #directory: Directory
  readonly #open: (passage: Passage, target: SwitchPort, limit: number) => void

  /** @param open sends an acceptor the OPEN of a stream */
  constructor(
    passages: Passages,
    directory: Directory,
    open: (passage: Passage, target: SwitchPort, limit: number) => void,
  ) {
    this.#passages = passages
    this.#directory = directory
    this.#open = open
  }

  /** @param code of the GOAWAY that ended the link, if one did */
  linkLost(port: SwitchPort, code: number | undefined): void {
    for (const end of port.ends.values()) {
      if (RETURNS.has(code)) this.#passages.lose(end)
      else this.#passages.break(end.passage, STREAM_CODES.LINK_LOST, 'the other agent’s link was lost')
    }
    port.ends.clear()
  }

  /** An end is back. */
  resume(port: SwitchPort, frame: Resume): void {
    const isOpener = frame.from === ''
    const from = isOpener ? port.agent.id : frame.from
    const known = this.#passages.find(frame.key)
    if (known?.broken && this.#isTheirs(known, port)) {
      port.refuse(frame.stream, false, known.broken.code, known.broken.message)
      return this.#passages.forget(known)
    }
    const passage = known ?? this.#passages.create(frame.key, frame.service, from, frame.hops)
    const end = isOpener ? passage.opener : passage.acceptor
    const isSame = passage.from === from && passage.service === frame.service && !passage.broken
    if (!isSame || end.state !== 'lost' || (end.process ?? port.process) !== port.process) {
      return port.refuse(frame.stream, false, STREAM_CODES.STREAM_UNKNOWN, 'this link has no such stream')
    }
    this.#passages.attach(end, port, frame.stream)
    if (frame.position.answered) this.#passages.answered(passage)
    end.state = 'waiting'
    end.position = frame.position
    this.#rejoin(end)
  }

  /** An end answers that was asked where it stands. */
  resumed(end: End, position: Position): void {
    if (end.state !== 'asked') throw new StreamViolation('PROTOCOL', 'a RESUMED that nobody waits for')
    if (--end.asked > 0) return
    end.state = 'flowing'
    end.position = position
    if (position.answered) this.#passages.answered(end.passage)
    if (end.other.state === 'waiting') this.#settle(end.passage)
    else if (end.other.state === 'lost') this.#offer(end.passage, end.told === BEGINNING)
  }

  /** The process has told of all its streams: those that it has not told of, it doesn't have. */
  ready(port: SwitchPort): void {
    port.isReady = true
    for (const passage of this.#passages.incomplete) {
      const missing = passage.ends.find((end) => end.state === 'lost' && isPast(end, port))
      if (missing) this.#isMissing(missing)
      else if (!passage.acceptor.agent) this.#offer(passage)
    }
  }

  #isMissing(end: End): void {
    const { passage } = end
    if (passage.broken) return this.#passages.forget(passage)
    if (passage.answered || end.isOpener) {
      return this.#passages.break(passage, STREAM_CODES.STREAM_UNKNOWN, 'the other agent has no such stream')
    }
    // The OPEN was lost with the link.
    this.#passages.disown(end)
    this.#offer(passage)
  }

  #isTheirs({ ends }: Passage, port: SwitchPort): boolean {
    return ends.some(({ state, process }) => state === 'lost' && process === port.process)
  }

  #rejoin(end: End): void {
    const { passage, other } = end
    const { opener, acceptor, service } = passage
    if (opener.agent && acceptor.agent && !this.#directory.mayReach(opener.agent, service, acceptor.agent)) {
      return this.#passages.break(
        passage,
        STREAM_CODES.SERVICE_UNKNOWN,
        `"${service}" is not offered there any more`,
      )
    }
    if (other.state === 'waiting') this.#settle(passage)
    else if (other.state === 'lost') this.#offer(passage)
    else this.#ask(other, end.position!)
  }

  /** Has an end that was on its link all the time go back to where the other one stands, and say where it stands. */
  #ask(end: End, position: Position): void {
    const { passage } = end
    const { link } = end.port!
    // What is queued would reach it behind the question, and not be in its answer.
    link.drop(end.number)
    // One that has not gone out yet will not, for this one.
    if (!link.hasWaiting(TYPE.RESUME, end.number)) end.asked++
    link.sendControl(encodeResume(end.number, passage.key, position, passage.service, passage.from))
    end.state = 'asked'
    end.told = position
  }

  /** Both ends have said where they stand: they go on from there. */
  #settle(passage: Passage): void {
    for (const end of passage.ends) {
      const position = end.other.position!
      end.window = SendWindow.at(position)
      end.held = false
      if (end.state === 'waiting') end.port!.link.sendControl(encodeResumed(end.number, position))
      end.state = 'flowing'
    }
    if (passage.ends.every(({ window }) => window.done)) this.#passages.forget(passage)
  }

  /**
   * Sends the OPEN of a stream again that nobody has answered: its acceptor has never heard of it.
   *
   * @param isAtBeginning the opener has just gone back there
   */
  #offer(passage: Passage, isAtBeginning = false): void {
    const { opener, acceptor, service } = passage
    if (passage.answered || acceptor.agent || !opener.port || opener.state === 'asked') return
    const target = this.#directory.resolve(opener.port, service)
    // Otherwise it waits, for this agent to come back or for the time to be over.
    if (!(target instanceof SwitchPort) || !target.isReady) return
    const why = target.whyFullFor(passage.from)
    if (why !== undefined) return this.#passages.break(passage, STREAM_CODES.LIMIT, why)
    if (opener.state === 'flowing' && !isAtBeginning) return this.#ask(opener, BEGINNING)
    this.#open(passage, target, opener.position!.limit)
    acceptor.position = BEGINNING
    this.#settle(passage)
  }
}
