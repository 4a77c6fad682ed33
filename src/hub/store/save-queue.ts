import { StoreError } from './store-error.ts'

/** What is written before what: a revocation before anything else, and when agents were seen last. */
export const LANES = { revocation: 0, membership: 1, settings: 2, seen: 3 } as const

/** Something to be written to the database. */
export interface Write {
  readonly lane: (typeof LANES)[keyof typeof LANES]
  /** @throws StoreError */
  run(): Promise<void>
  /**
   * The attempt to write has failed.
   *
   * @returns whether to try again
   */
  failed(error: StoreError): boolean
}

export interface SaveQueueEvents {
  /** There is no use in going on. */
  damaged(error: StoreError): void
  log(line: string): void
}

/** How long a failed write waits for its next try, in ms: this at first, then twice as long each time. */
const RETRY_MS = 1000
const MAX_RETRY_MS = 15_000

/**
 * Does one write after another, the important ones first. A write that fails is told so; if its change is in
 * effect already, it stays in the queue until it is saved. The callers bound the queue: one write of each
 * kind an agent.
 */
export class SaveQueue {
  readonly #events: SaveQueueEvents
  readonly #ready: readonly Set<Write>[] = Object.values(LANES).map(() => new Set())
  /** The writes that have failed, and are to be tried again. */
  readonly #kept = new Set<Write>()
  #isRunning = false
  #running: Promise<void> = Promise.resolve()
  #isEnded = false
  /** Why nothing could be saved the last time. */
  #trouble: string | undefined
  #timer: NodeJS.Timeout | undefined
  #retryMs = RETRY_MS

  constructor(events: SaveQueueEvents) {
    this.#events = events
  }

  add(write: Write): void {
    this.#makeReady([write, ...[...this.#kept].filter(({ lane }) => lane === LANES.revocation)])
    void this.#run()
  }

  /** Why nothing could be saved the last time, and how many writes wait; undefined if all is well. */
  get unsaved(): { readonly changes: number; readonly reason: string } | undefined {
    const waiting = this.#ready.reduce((sum, lane) => sum + lane.size, 0)
    return this.#trouble === undefined
      ? undefined
      : { changes: this.#kept.size + waiting, reason: this.#trouble }
  }

  /** The write is not needed any more. */
  drop(write: Write): void {
    this.#ready[write.lane]!.delete(write)
    this.#kept.delete(write)
    this.#noteSaved()
  }

  /** Tries all that isn't saved once more, and ends the queue. */
  async close(): Promise<void> {
    this.#makeReady([...this.#kept])
    await this.#run()
    this.#isEnded = true
    clearTimeout(this.#timer)
    if (this.#kept.size > 0) this.#events.log(`[!] ${this.#kept.size} changes are lost: ${this.#trouble}`)
  }

  #run(): Promise<void> {
    if (!this.#isRunning) this.#running = this.#writeAll()
    return this.#running
  }

  async #writeAll(): Promise<void> {
    this.#isRunning = true
    for (let write = this.#next(); write && !this.#isEnded; write = this.#next()) await this.#attempt(write)
    this.#isRunning = false
    if (this.#kept.size > 0 && !this.#isEnded) this.#timer ??= setTimeout(() => this.#retry(), this.#retryMs)
  }

  #retry(): void {
    this.#timer = undefined
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS)
    this.#makeReady([...this.#kept])
    void this.#run()
  }

  #next(): Write | undefined {
    for (const lane of this.#ready) for (const write of lane) return write
    return undefined
  }

  async #attempt(write: Write): Promise<void> {
    this.#ready[write.lane]!.delete(write)
    try {
      await write.run()
      this.#retryMs = RETRY_MS
      // There seems to be room again.
      this.#makeReady([...this.#kept])
      this.#noteSaved()
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#fail(write, error)
    }
  }

  #fail(write: Write, error: StoreError): void {
    if (error.kind === 'rejected') {
      this.#events.log(`[x] The database did not take a change: ${error.message}`)
      write.failed(error)
      return
    }
    if (error.kind === 'damaged') {
      this.#isEnded = true
      this.#events.damaged(error)
    } else {
      if (this.#trouble === undefined)
        this.#events.log(`[!] The hub can’t save what changes, and tries again: ${error.message}`)
      this.#trouble = error.message
    }
    // Nothing may take the room that a revocation needs.
    const isForAll = this.#isEnded || write.lane === LANES.revocation
    const others = isForAll ? this.#ready.flatMap((lane) => [...lane]) : []
    for (const one of [write, ...others]) {
      this.#ready[one.lane]!.delete(one)
      if (one.failed(error)) this.#kept.add(one)
    }
  }

  #makeReady(writes: readonly Write[]): void {
    for (const write of writes) {
      this.#kept.delete(write)
      this.#ready[write.lane]!.add(write)
    }
  }

  #noteSaved(): void {
    const waits = this.#kept.size > 0 || this.#ready.some((lane) => lane.size > 0)
    if (this.#trouble === undefined || waits) return
    this.#trouble = undefined
    this.#events.log('[ok] The hub saves what changes again, and all is saved')
  }
}
