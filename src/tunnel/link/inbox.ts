import type { Message } from '../protocol/message.ts'
import { type Pace, workOf } from './pace.ts'
import { Queue } from './queue.ts'

/** Where messages come from: after `pause` little more is handed over, until `resume`. */
export interface Source {
  pause(): void
  resume(): void
}

/** What comes over one link. Beyond its agent's pace it waits for a turn to come, and no more is read. */
export class Inbox {
  readonly #source: Source
  readonly #pace: Pace
  readonly #deal: (message: Message) => void
  readonly #waiting = new Queue<Message>()
  #isHeld = false
  #whenEmpty: (() => void) | undefined

  /** @param deal called with each message, in order */
  constructor(source: Source, pace: Pace, deal: (message: Message) => void) {
    this.#source = source
    this.#pace = pace
    this.#deal = deal
  }

  push(message: Message): void {
    if (!this.#isHeld && this.#pace.hasRoom) return this.#take(message)
    this.#waiting.push(message)
    if (!this.#isHeld) this.#hold()
  }

  /** Notes work that was caused by something else than a message. */
  charge(work: number): void {
    this.#pace.charge(work)
    if (!this.#isHeld && this.#pace.isOver) this.#hold()
  }

  /** Nothing more will come: `done` is called once all that waits was dealt with. */
  end(done: () => void): void {
    if (this.#waiting.length === 0) done()
    else this.#whenEmpty = done
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.clear()
  }

  #hold(): void {
    this.#isHeld = true
    this.#source.pause()
    this.#pace.wait(this.#goOn)
  }

  /** Works until the turn is over. @returns whether nothing waits any more */
  readonly #goOn = (): boolean => {
    for (let message; !this.#pace.isOver && (message = this.#waiting.shift());) this.#take(message)
    if (this.#waiting.length > 0) return false
    this.#isHeld = false
    if (this.#whenEmpty) this.#whenEmpty()
    else this.#source.resume()
    return true
  }

  #take(message: Message): void {
    this.#pace.charge(workOf(message.chunks[0]?.[0] ?? 0, message.bytes))
    this.#deal(message)
  }
}
