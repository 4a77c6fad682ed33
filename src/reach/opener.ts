import type { HubLink } from '../hub-client/link/hub-link.ts'
import { Counts } from '../tunnel/bounds/counts.ts'
import { STREAM_CODES } from '../tunnel/protocol/codes.ts'
import { MAX_PENDING_OPENS, MAX_STREAMS, OPEN_TIMEOUT_MS, SHARE_OF_FREE } from '../tunnel/protocol/limits.ts'
import type { Stream } from '../tunnel/stream/stream.ts'

/** How long a client waits for the link, or for its turn, in ms; then it is reset. */
export const HOLD_MS = 15_000

/**
 * How long a stream may wait for its answer, in ms. The hub gives up sooner, and says of whom it has heard
 * nothing; but it may hang itself, and a link that is lost without a word looks as if it were up.
 */
const ANSWER_MS = OPEN_TIMEOUT_MS + 5000

/** The clients of one service, as far as they have no stream yet. */
export interface Queue {
  /** The service's name. */
  readonly name: string
  /** How many wait to be carried. */
  readonly waiting: number
  /** Opens a stream for the one that has waited longest. */
  carryOne(): void
}

export interface Opening {
  readonly stream: Stream
  /** To be called once the stream has an answer, or is over; again does no harm. */
  readonly answered: () => void
}

/** Opens streams over a link for the clients of all services that are reached over it, each in turn. */
export class Opener {
  readonly #link: HubLink
  readonly #holdMs: number
  readonly #queues = new Set<Queue>()
  /** Streams that have no answer yet, and how many of each service. */
  #opening = 0
  readonly #openingTo = new Counts()
  #isLinkAwaited = false

  /** @param holdMs how long a client waits for the link, in ms */
  constructor(link: HubLink, holdMs: number) {
    this.#link = link
    this.#holdMs = holdMs
  }

  add(queue: Queue): void {
    this.#queues.add(queue)
  }

  remove(queue: Queue): void {
    this.#queues.delete(queue)
  }

  get isLinkUp(): boolean {
    return this.#link.isUp
  }

  /** Whether one more may wait: more than a link carries streams would wait for nothing. */
  mayWait(queue: Queue): boolean {
    let waiting = 0
    for (const one of this.#queues) waiting += one.waiting
    return this.#mayHaveMore(queue.waiting, MAX_STREAMS - waiting)
  }

  /**
   * @param acceptor the agent that alone may accept it; default whoever has the service
   * @returns undefined while the link is down, or too many streams have no answer yet
   */
  open(service: string, hops: number, acceptor?: string): Opening | undefined {
    if (!this.#mayOpen(service)) return undefined
    const stream = this.#link.open(service, hops, acceptor)
    if (!stream) return undefined
    this.#opening++
    this.#openingTo.add(service)
    let isOpening = true
    const late = setTimeout(() => stream.sever(STREAM_CODES.TIMEOUT, 'no answer in time'), ANSWER_MS)
    const answered = () => {
      if (!isOpening) return
      isOpening = false
      clearTimeout(late)
      this.#opening--
      this.#openingTo.remove(service)
      this.carry()
    }
    return { stream, answered }
  }

  /** Opens streams for as many of the waiting clients as can be carried now. */
  carry(): void {
    for (let someWait = true; someWait;) {
      someWait = false
      for (const queue of this.#queues) {
        if (queue.waiting === 0) continue
        if (!this.#link.isUp) return this.#awaitLink()
        if (!this.#mayOpen(queue.name)) continue
        queue.carryOne()
        someWait = true
      }
    }
  }

  #mayOpen(service: string): boolean {
    return this.#mayHaveMore(this.#openingTo.of(service), MAX_PENDING_OPENS - this.#opening)
  }

  /** A service that does not answer, or is flooded, leaves room for the others, see FairShares. */
  #mayHaveMore(own: number, free: number): boolean {
    return free > 0 && (this.#queues.size < 2 || own < SHARE_OF_FREE * free)
  }

  /** The link hurries as long as somebody waits. */
  #awaitLink(): void {
    if (this.#isLinkAwaited) return
    this.#isLinkAwaited = true
    void this.#link.whenConnected(this.#holdMs).finally(() => {
      this.#isLinkAwaited = false
      this.carry()
    })
  }
}
