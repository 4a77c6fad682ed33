import { loadSqlite } from '../../files/sqlite.ts'
import { DatabaseFiles } from './database-files.ts'
import type { Rest } from './rest.ts'
import { storageError } from './store-error.ts'
import { Store } from './store.ts'

/** The database of a hub that runs: open, or closed, and held by a descriptor until it is needed. */
export class StoreKeeper {
  readonly #open: (hubId?: string) => Store
  #store: Store | undefined
  /** How it was left the last time. */
  readonly #rest: Rest | undefined
  /** Of the database, while it is closed. */
  #files: DatabaseFiles | undefined
  #isAnew = false

  private constructor(open: (hubId?: string) => Store, rest: Rest | undefined) {
    this.#open = open
    this.#rest = rest
    if (!rest) this.#store = open()
  }

  /**
   * @param rest how it was left; it is then opened by the first `hold`. Default: it is opened as it is there
   * @throws ConnectError WRITE_FAILED, HUB_DATA_DAMAGED
   */
  static async open(folder: string, rest?: Rest): Promise<StoreKeeper> {
    const sqlite = await loadSqlite()
    return new StoreKeeper((hubId) => new Store(sqlite, folder, hubId), rest)
  }

  /** As it is after `hold`. */
  get store(): Store {
    return this.#store!
  }

  /**
   * Opens it if it is closed, and sees to it that what is written is where a hub that starts will look for
   * it, see Store.
   *
   * @returns whether files of it were deleted, and are written anew
   * @throws StoreError, the system's error, or SQLite's if the files are not as they should be
   */
  hold(): boolean {
    if (this.#store) return this.#store.hold()
    const rest = this.#rest!
    const files = (this.#files ??= new DatabaseFiles(rest))
    if (files.areMissing()) {
      files.writeAnew(rest)
      this.#isAnew = true
    }
    this.#store = this.#openThat(files, rest.hubId)
    this.#files = undefined
    const isAnew = this.#isAnew
    this.#isAnew = false
    return isAnew
  }

  /** @returns the state that its file has at rest; undefined if there is no rest yet */
  settle(): string | undefined {
    return this.#store?.settle()
  }

  /**
   * Closes it.
   *
   * @param state what `settle` has said before the last look at what is in it
   */
  rest(state: string): Rest {
    const rest = this.store.rest(state, this.#rest)
    this.#store = undefined
    return rest
  }

  check(): void {
    this.#store?.check()
  }

  close(): void {
    this.#store?.close()
  }

  #openThat(files: DatabaseFiles, hubId: string): Store {
    const store = this.#open(hubId)
    try {
      // SQLite would have begun another one in the place of one that was deleted just now.
      if (files.areMissing()) throw storageError('its database was deleted')
      return store
    } catch (error) {
      store.close()
      throw error
    }
  }
}
