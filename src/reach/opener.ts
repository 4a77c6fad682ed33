import type { HubLink } from '../hub-client/hub-link.ts'
import { MAX_PENDING_OPENS, MAX_STREAMS } from '../tunnel/protocol/limits.ts'
import type { Stream } from '../tunnel/stream/stream.ts'

/** How long a client waits for the link, or for its turn, in ms; then it is reset. */
export const HOLD_MS = 15_000

/** The clients of one service, as far as they have no stream yet. */
export interface Queue {
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
  /** Streams that have no answer yet. */
  #opening = 0
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

  /** More clients than a link carries streams would wait for nothing. */
  get isFull(): boolean {
    let waiting = 0
    for (const queue of this.#queues) waiting += queue.waiting
    return waiting >= MAX_STREAMS
  }

  /** @returns undefined while the link is down, or too many streams have no answer yet */
  open(service: string, hops: number): Opening | undefined {
    if (this.#opening >= MAX_PENDING_OPENS) return undefined
    const stream = this.#link.open(service, hops)
    if (!stream) return undefined
    this.#opening++
    let isOpening = true
    const answered = () => {
      if (!isOpening) return
      isOpening = false
      this.#opening--
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
        if (this.#opening >= MAX_PENDING_OPENS) return
        queue.carryOne()
        someWait = true
      }
    }
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
