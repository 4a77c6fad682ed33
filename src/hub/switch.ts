import { GOAWAY_CODES, STREAM_CODES } from '../tunnel/codes.ts'
import { encodeOpen, encodeOpenErr, encodeRst, encodeWindow, renumber } from '../tunnel/frames.ts'
import {
  INITIAL_WINDOW,
  LINK_BACKLOG_MAX_BYTES,
  MAX_PENDING_OPENS,
  MAX_STREAMS,
  OPEN_TIMEOUT_MS,
} from '../tunnel/limits.ts'
import type { Link, LinkFrame } from '../tunnel/link.ts'
import { StreamNumbers } from '../tunnel/stream-numbers.ts'
import { unpinned } from '../tunnel/unpinned.ts'
import { SendWindow, StreamViolation } from '../tunnel/windows.ts'

type StreamFrame = Exclude<LinkFrame, { type: 'ctrl' } | { type: 'goaway' } | { type: 'open' }>

/** One end of a stream that passes through: a number on a port, and what this end may send. */
interface End {
  readonly port: SwitchPort
  readonly number: number
  readonly window: SendWindow
  /** This end is not yet told how far its window has come: the other end's link is backed up. */
  held: boolean
  other: End
  /** Only of the opening end, until the other has answered. */
  pending: NodeJS.Timeout | undefined
}

/** Finds the port where a service is, or says why there is none. */
export type Resolve = (from: SwitchPort, service: string) => SwitchPort | { code: number; message: string }

/** A link's place at the switch. */
export class SwitchPort {
  readonly agentId: string
  readonly workspace: string
  readonly link: Link
  readonly ends = new Map<number, End>()
  readonly numbers = new StreamNumbers('hub')
  /** Frames for streams that this link doesn't have. */
  strays = 0
  pendingOpens = 0

  constructor(link: Link, agent: { id: string; workspace: string }) {
    this.link = link
    this.agentId = agent.id
    this.workspace = agent.workspace
  }
}

/**
 * Passes frames from link to link. It keeps two numbers a direction and no bytes of its own: a frame is renumbered
 * where it lies and queued at the other link.
 */
export class Switch {
  readonly #resolve: Resolve
  readonly #openTimeoutMs: number

  /** @param options.openTimeoutMs default 15 s */
  constructor(resolve: Resolve, options: { openTimeoutMs?: number } = {}) {
    this.#resolve = resolve
    this.#openTimeoutMs = options.openTimeoutMs ?? OPEN_TIMEOUT_MS
  }

  /** Takes in a frame of one of the port's streams, or one that opens a stream. */
  frame(port: SwitchPort, frame: StreamFrame | Extract<LinkFrame, { type: 'open' }>, bytes: Buffer): void {
    if (frame.type === 'open') return this.#open(port, frame, bytes)
    const end = port.ends.get(frame.stream)
    if (!end) return stray(port, frame)
    try {
      this.#forward(end, frame, bytes)
    } catch (error) {
      if (!(error instanceof StreamViolation)) throw error
      this.#break(end, STREAM_CODES[error.kind], error.message)
    }
  }

  /** The port's link is gone: so are its streams, and their other ends hear of it. */
  closed(port: SwitchPort): void {
    for (const end of port.ends.values()) {
      end.other.port.link.drop(end.other.number)
      end.other.port.link.sendControl(
        end.other.pending
          ? encodeOpenErr(end.other.number, STREAM_CODES.LINK_LOST, 'the other agent’s link was lost')
          : encodeRst(end.other.number, STREAM_CODES.LINK_LOST, 'the other agent’s link was lost'),
      )
      forget(end)
    }
  }

  /** The port's backlog is short again: whoever sends to it may go on. */
  relieved(port: SwitchPort): void {
    for (const { other: sender } of port.ends.values()) if (sender.held) this.#tellWindow(sender)
  }

  #open(port: SwitchPort, open: Extract<LinkFrame, { type: 'open' }>, bytes: Buffer): void {
    const { stream: number } = open
    const refuse = (code: number, message: string) =>
      port.link.sendControl(encodeOpenErr(number, code, message))
    if (!port.numbers.isPeers(number) || port.ends.has(number)) {
      return port.link.close(GOAWAY_CODES.PROTOCOL, `OPEN for stream ${number}`)
    }
    if (port.ends.size >= MAX_STREAMS)
      return refuse(STREAM_CODES.LIMIT, `this link has ${MAX_STREAMS} streams open`)
    if (port.pendingOpens >= MAX_PENDING_OPENS) {
      return refuse(STREAM_CODES.LIMIT, `${MAX_PENDING_OPENS} streams are waiting to be opened`)
    }
    const target = this.#resolve(port, open.service)
    if (!(target instanceof SwitchPort)) return refuse(target.code, target.message)
    if (target.ends.size >= MAX_STREAMS) {
      return refuse(STREAM_CODES.LIMIT, `the service’s agent has ${MAX_STREAMS} streams open`)
    }
    if (target.link.isBehind)
      return refuse(STREAM_CODES.LIMIT, 'the link of the service’s agent is too far behind')
    const opener = join(
      { port, number, window: new SendWindow(INITIAL_WINDOW) },
      {
        port: target,
        number: target.numbers.next((n) => target.ends.has(n)),
        window: new SendWindow(open.limit),
      },
    )
    port.pendingOpens++
    opener.pending = setTimeout(
      () => this.#break(opener, STREAM_CODES.TIMEOUT, 'the service’s agent did not answer'),
      this.#openTimeoutMs,
    )
    const passedOn = encodeOpen(opener.other.number, open.key, open.limit, open.service, port.agentId)
    // Flags are the two agents' business.
    passedOn[1] = bytes[1]!
    target.link.sendControl(passedOn)
  }

  #forward(end: End, frame: StreamFrame, bytes: Buffer): void {
    const { other } = end
    const { link } = other.port
    const passedOn = () => unpinned(renumber(bytes, other.number))
    switch (frame.type) {
      case 'openOk': {
        if (!other.pending) throw new StreamViolation('PROTOCOL', 'an OPEN_OK that nobody waits for')
        answered(other)
        other.window.update(0, frame.limit)
        link.sendControl(passedOn())
        break
      }
      case 'data': {
        end.window.send(frame.payload.length)
        if (link.backlog > LINK_BACKLOG_MAX_BYTES) {
          return this.#break(end, STREAM_CODES.LIMIT, 'the receiving link is too far behind')
        }
        link.sendData(other.number, passedOn())
        break
      }
      case 'fin': {
        end.window.finish(frame.offset)
        link.sendData(other.number, passedOn())
        break
      }
      case 'window': {
        if (!other.window.update(frame.consumed, frame.limit)) break
        // The far end keeps the window it has while our link to this one can't keep up.
        if (end.port.link.isBackedUp) other.held = true
        else this.#tellWindow(other)
        break
      }
      case 'openErr':
      case 'rst': {
        if (frame.type === 'openErr' && !other.pending)
          throw new StreamViolation('PROTOCOL', 'an OPEN_ERR that nobody waits for')
        drop(end)
        link.sendControl(passedOn())
        forget(end)
        break
      }
    }
  }

  #tellWindow(sender: End): void {
    sender.held = false
    sender.port.link.sendControl(encodeWindow(sender.number, sender.window.acked, sender.window.limit))
    // Both ends must know; the other one's news may still be held back.
    if ([sender, sender.other].every(({ window, held }) => window.done && !held)) forget(sender)
  }

  #break(end: End, code: number, message: string): void {
    drop(end)
    for (const side of [end, end.other]) {
      side.port.link.sendControl(
        side.pending ? encodeOpenErr(side.number, code, message) : encodeRst(side.number, code, message),
      )
    }
    forget(end)
  }
}

type NewEnd = Pick<End, 'port' | 'number' | 'window'>

/** @returns the first of the two ends, joined and in their ports' tables */
function join(opener: NewEnd, acceptor: NewEnd): End {
  const ends = [opener, acceptor].map((end) => ({
    ...end,
    held: false,
    pending: undefined,
  })) as unknown as [End, End]
  ends[0].other = ends[1]
  ends[1].other = ends[0]
  for (const end of ends) end.port.ends.set(end.number, end)
  return ends[0]
}

/** What either end was still to be sent is of no use any more. */
function drop(end: End): void {
  for (const { port, number } of [end, end.other]) port.link.drop(number)
}

function answered(opener: End): void {
  clearTimeout(opener.pending)
  opener.pending = undefined
  opener.port.pendingOpens--
}

function forget(end: End): void {
  for (const side of [end, end.other]) {
    if (side.pending) answered(side)
    side.port.ends.delete(side.number)
  }
}

/** A frame for a stream that the link doesn't have, often one that was just reset. It touches nothing else. */
function stray(port: SwitchPort, frame: StreamFrame): void {
  port.strays++
  // Only what makes the peer believe that the stream lives is answered: two ends must not answer each other for ever.
  if (frame.type === 'data' || frame.type === 'fin') {
    port.link.sendControl(encodeRst(frame.stream, STREAM_CODES.STREAM_UNKNOWN))
  }
}
