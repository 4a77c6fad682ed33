import { LANES, type SaveQueue } from '../store/save-queue.ts'
import type { StoreCalls } from '../store/store-thread.ts'
import type { Agent } from '../store/store.ts'

/** How long what is seen waits to be saved with all else that is, in ms. */
const SAVE_AFTER_MS = 60_000

/** When agents were seen last. What can't be saved is no loss, and is said with what is. */
export class LastSeen {
  readonly #queue: SaveQueue
  readonly #store: StoreCalls
  readonly #saveAfterMs: number
  readonly #seen = new Map<string, number>()
  #unsaved = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(
    queue: SaveQueue,
    store: StoreCalls,
    agents: readonly Agent[],
    saveAfterMs: number = SAVE_AFTER_MS,
  ) {
    this.#queue = queue
    this.#store = store
    this.#saveAfterMs = saveAfterMs
    for (const { id, lastSeen } of agents) if (lastSeen !== undefined) this.#seen.set(id, lastSeen)
  }

  /** @returns ms since 1970; undefined if that isn't known */
  of(agent: string): number | undefined {
    return this.#seen.get(agent)
  }

  note(agent: string, now = Date.now()): void {
    this.#seen.set(agent, now)
    this.#unsaved.set(agent, now)
    this.#timer ??= setTimeout(() => this.#save(), this.#saveAfterMs).unref()
  }

  forget(agent: string): void {
    this.#seen.delete(agent)
    this.#unsaved.delete(agent)
  }

  /** To save at the hub's end would make each restart longer, and those that are there come back anyway. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Saves all that isn't saved, in one go. */
  #save(): void {
    this.#timer = undefined
    const seen = this.#unsaved
    if (seen.size === 0) return
    this.#unsaved = new Map()
    this.#queue.add({
      lane: LANES.seen,
      run: () => this.#store.call('setSeen', seen),
      failed: () => {
        // What was seen meanwhile is newer.
        this.#unsaved = new Map([...seen, ...this.#unsaved])
        return false
      },
    })
  }
}
