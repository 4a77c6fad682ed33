/** How often a line of one kind is written, in ms. */
const EVERY_MS = 1000

/** Kinds are bounded too: whoever chooses a name could choose a new one each time. */
const MAX_KINDS = 256

interface Kind {
  /** When the first of those was written that count now. */
  since: number
  written: number
  /** How many lines were left out since. */
  skipped: number
}

/**
 * For lines that others can cause at will: of each kind one a second is written, or a few, with how many were
 * left out since the one before.
 */
export class LineLimiter {
  readonly #everyMs: number
  readonly #lines: number
  readonly #now: () => number
  readonly #kinds = new Map<string, Kind>()

  /**
   * @param options.everyMs default 1,000
   * @param options.lines how many of a kind are written in that time, default 1
   * @param options.now ms of a clock that never jumps
   */
  constructor(options: { everyMs?: number; lines?: number; now?: () => number } = {}) {
    this.#everyMs = options.everyMs ?? EVERY_MS
    this.#lines = options.lines ?? 1
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * Writes the line unless one of its kind, or as many as may be, were written a moment ago.
   *
   * @param kind what the line is about and who has caused it, so that nobody silences another's lines
   * @param line made only if it is written
   */
  write(kind: string, write: (line: string) => void, line: () => string): void {
    const now = this.#now()
    const known = this.#kinds.get(kind)
    if (known && now - known.since < this.#everyMs) {
      if (known.written < this.#lines) {
        known.written++
        write(line())
      } else known.skipped++
      return
    }
    this.#kinds.delete(kind)
    if (this.#kinds.size >= MAX_KINDS) this.#dropOldest()
    this.#kinds.set(kind, { since: now, written: 1, skipped: 0 })
    const skipped = known?.skipped ?? 0
    write(skipped === 0 ? line() : `${line()} (and ${skipped} more like this)`)
  }

  #dropOldest(): void {
    const [oldest] = this.#kinds.keys()
    this.#kinds.delete(oldest!)
  }
}
