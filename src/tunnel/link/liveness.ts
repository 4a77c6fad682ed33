import { DEAD_AFTER_PING_MS, PING_AFTER_MS, TELL_AFTER_MS } from '../protocol/limits.ts'

/** A tick that comes this late means that the machine slept, in ms. */
const CLOCK_JUMP_MS = 5000

/** Fewer bytes than this may be no more than answers, which must not be answered in turn for ever. */
const ANSWERS_BYTES = 1024

/** All bytes that ever came from a peer, and that were written for it. */
export interface Traffic {
  readonly bytesRead: number
  readonly bytesWritten: number
}

/**
 * Whether a peer still lives: a silent peer is to be asked, and is dead if nothing comes within the time. A
 * peer that sends much and hears nothing is to be told that this side lives: its own question could be stuck
 * behind what it sends.
 */
export class Liveness {
  #bytesSeen = 0
  #bytesWritten = 0
  #heardAt = performance.now()
  /** When this side has last said anything, and how many bytes had come by then. */
  #spokeAt = performance.now()
  #bytesAnswered = 0
  #askedAt: number | undefined
  /** How long the peer may take to answer. */
  #patienceMs = DEAD_AFTER_PING_MS
  #tickedAt = Date.now()

  /**
   * Notes that the peer is asked now, whenever it was heard last.
   *
   * @param bytesRead all that ever came from it
   * @param withinMs how long it has to answer
   */
  asked(bytesRead: number, withinMs: number, now: number): void {
    this.#bytesSeen = bytesRead
    this.#patienceMs = withinMs
    this.#askedAt = now
  }

  /**
   * To be called about once a second.
   *
   * @param now ms of a clock that never jumps
   * @param time ms of the wall clock, which goes on while the machine sleeps
   * @returns whether the peer is to be asked now, or told that this side lives, or is dead
   */
  tick({ bytesRead, bytesWritten }: Traffic, now: number, time: number): 'ask' | 'tell' | 'dead' | undefined {
    const jumped = time - this.#tickedAt > CLOCK_JUMP_MS
    this.#tickedAt = time
    if (bytesWritten !== this.#bytesWritten) {
      this.#bytesWritten = bytesWritten
      this.#spokeAt = now
      this.#bytesAnswered = bytesRead
    }
    // Any byte is a sign of life: a PONG stuck behind a slow bulk transfer must not look like death.
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead
      this.#heardAt = now
      this.#askedAt = undefined
      this.#patienceMs = DEAD_AFTER_PING_MS
    }
    // While the machine slept nobody could answer: a question from before it is asked anew.
    if (jumped || (this.#askedAt === undefined && now - this.#heardAt >= PING_AFTER_MS)) {
      this.#askedAt = now
      return 'ask'
    }
    const isOverdue = this.#askedAt !== undefined && now - this.#askedAt >= this.#patienceMs
    if (isOverdue) return 'dead'
    const isOwed = bytesRead - this.#bytesAnswered > ANSWERS_BYTES && now - this.#spokeAt >= TELL_AFTER_MS
    return isOwed ? 'tell' : undefined
  }
}
