import type { Budget } from '../bounds/budget.ts'
import { compact } from '../bounds/compact.ts'
import type { Frame, Position } from '../protocol/frames.ts'
import { INITIAL_WINDOW } from '../protocol/window-size.ts'
import { ReceiveBuffer } from './receive-buffer.ts'
import { ReceiveWindow } from './receive-window.ts'
import type { StreamHandler } from './stream-handler.ts'

/** What one end of a stream receives: handed on at once, or kept until someone listens. */
export class Incoming {
  readonly #window: ReceiveWindow
  readonly #buffer = new ReceiveBuffer()
  #handler: StreamHandler | undefined
  #isOver = false

  /** @param growth what windows may grow by, together */
  constructor(growth: Budget) {
    this.#window = new ReceiveWindow(INITIAL_WINDOW, growth)
  }

  get limit(): number {
    return this.#window.limit
  }

  /** Everything, the end included, was handed on. */
  get isDone(): boolean {
    return this.#window.done
  }

  /** Hands over what came before. */
  attach(handler: StreamHandler): void {
    this.#handler = handler
    for (const chunk of this.#buffer.take()) if (!this.#isOver) handler.data(chunk)
    if (this.#window.finished && !this.#isOver) handler.end()
  }

  /** @throws StreamViolation if the far end sends what it may not */
  data({ payload, bytes, blocked }: Extract<Frame, { type: 'data' }>): void {
    this.#window.receive(bytes, blocked)
    for (const received of payload) {
      const chunk = compact(received)
      // Its owner may have ended the stream at the chunk before.
      if (this.#isOver) return
      if (this.#handler) this.#handler.data(chunk)
      else this.#buffer.push(chunk)
    }
  }

  /** @throws StreamViolation if the stated length isn't what came in */
  finish(offset: number): void {
    this.#window.finish(offset)
    this.#handler?.end()
  }

  consumed(bytes: number): void {
    this.#window.consume(bytes)
  }

  /** @returns what to tell the far end now, or undefined if that can wait */
  announcement(): { consumed: number; limit: number } | undefined {
    return this.#window.announcement()
  }

  /** All that the far end has to know after a link was lost. */
  position(answered: boolean): Position {
    return this.#window.position(answered)
  }

  /** Forgets what was not handed on: nobody wants it any more. */
  close(): void {
    this.#isOver = true
    this.#buffer.take()
    this.#window.release()
  }
}
