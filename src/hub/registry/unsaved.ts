import type { SaveQueue, Write } from '../store/save-queue.ts'
import type { StoreError } from '../store/store-error.ts'

/** Whether a change that is in effect will be so after a restart, and if not, why. */
export type Saved = { readonly saved: true } | { readonly saved: false; readonly reason: string }

export const SAVED: Saved = { saved: true }

/** A change that is in effect. Once an attempt to save it was made, it is queued until it is saved. */
export class Unsaved implements Write {
  readonly lane: Write['lane']
  readonly #queue: SaveQueue
  readonly #save: () => Promise<boolean>
  #wasFound: boolean | undefined
  #isRunning = false
  #waiting: ((saved: Saved) => void)[] = []

  /** @param save resolves to whether the database had what is changed @throws StoreError by its promise */
  constructor(queue: SaveQueue, lane: Write['lane'], save: () => Promise<boolean>) {
    this.#queue = queue
    this.lane = lane
    this.#save = save
  }

  /** Whether the database had what is changed; undefined until an attempt has succeeded. */
  get wasFound(): boolean | undefined {
    return this.#wasFound
  }

  /** @returns what comes of the attempt that is under way; of a new one, if none is */
  attempt(): Promise<Saved> {
    const { promise, resolve } = Promise.withResolvers<Saved>()
    this.#waiting.push(resolve)
    if (!this.#isRunning) this.#queue.add(this)
    return promise
  }

  async run(): Promise<void> {
    this.#isRunning = true
    try {
      this.#wasFound = await this.#save()
    } finally {
      this.#isRunning = false
    }
    this.#settle(SAVED)
  }

  failed(error: StoreError): boolean {
    this.#settle({ saved: false, reason: error.message })
    return error.kind === 'storage'
  }

  /** The change was saved with something else. */
  drop(): void {
    this.#queue.drop(this)
    this.#settle(SAVED)
  }

  #settle(saved: Saved): void {
    for (const resolve of this.#waiting.splice(0)) resolve(saved)
  }
}
