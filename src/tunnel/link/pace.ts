import { TYPE } from '../protocol/frames.ts'
import { FRAME_WORK_BYTES, HEAVY_WORK_BYTES, TURN_WORK_BYTES } from '../protocol/limits.ts'
import { Queue } from './queue.ts'

/** Less work than this in a turn, counted as bytes, is not worth making a turn for. */
const UNNOTICED = TURN_WORK_BYTES / 8

/** Types of frames that make a stream, end one, bring one back, or are a message. */
const HEAVY = new Set<number>([TYPE.OPEN, TYPE.RESUME, TYPE.RST, TYPE.OPEN_ERR, TYPE.CTRL])

/**
 * The work that the links of one agent may cause in a turn of the event loop, together: links with more to do
 * wait for the next turn, one after the other, so that nobody else waits for them.
 */
export class Pace {
  #done = 0
  /** Links whose frames wait: each function works on them, and says whether none is left. */
  readonly #waiting = new Queue<() => boolean>()
  #isScheduled = false

  /** Whether another frame can be taken on now. */
  get hasRoom(): boolean {
    return this.#done < TURN_WORK_BYTES && this.#waiting.length === 0
  }

  /** Whether the link whose turn it is has to stop. */
  get isOver(): boolean {
    return this.#done >= TURN_WORK_BYTES
  }

  /** Notes work that was caused; more than a turn's is made up for by turns without any. */
  charge(work: number): void {
    this.#done += work
    if (this.#done >= UNNOTICED) this.#schedule()
  }

  /**
   * Has `goOn` called in turns to come, until it says that nothing is left to do.
   *
   * @param goOn works until nothing is left, or the turn is over
   */
  wait(goOn: () => boolean): void {
    this.#waiting.push(goOn)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#isScheduled = false
    this.#done = Math.max(0, this.#done - TURN_WORK_BYTES)
    for (let goOn = this.#waiting.first; goOn && !this.isOver; goOn = this.#waiting.first) {
      if (!goOn()) break
      this.#waiting.shift()
    }
    if (this.#waiting.length > 0 || this.#done >= UNNOTICED) this.#schedule()
  }
}

/** The work of dealing with a frame, as bytes of DATA: much of it is the same however short the frame is. */
export function workOf(type: number, bytes: number): number {
  // JSON is read, checked and compared.
  if (type === TYPE.CTRL) return HEAVY_WORK_BYTES + 8 * bytes
  return (HEAVY.has(type) ? HEAVY_WORK_BYTES : FRAME_WORK_BYTES) + bytes
}
