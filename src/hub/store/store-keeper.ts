import { loadSqlite } from '../../files/sqlite.ts'
import { DatabaseFiles } from './database-files.ts'
import type { Rest } from './rest.ts'
import type { Mark } from './schema.ts'
import { storageError } from './store-error.ts'
import { Store } from './store.ts'

/**
 * What was done to the database: files of it were `deleted`, and are written anew; or an `older` one was put
 * back while it was closed, and its join tokens are revoked.
 */
export type Mishap = 'deleted' | 'older'

/** The database of a hub that runs: open, or closed until it is needed, or can be opened. */
export class StoreKeeper {
  readonly #open: (hubId?: string) => Store
  #store: Store | undefined
  /** How it was left the last time. */
  readonly #rest: Rest | undefined
  /** Of the database, while it is closed. */
  #files: DatabaseFiles | undefined
  /** What was done to it since, until it could be opened. */
  #mishap: Mishap | undefined

  private constructor(open: (hubId?: string) => Store, rest: Rest | undefined) {
    this.#open = open
    this.#rest = rest
  }

  /**
   * It is opened by the first `hold` that can.
   *
   * @param rest how it was left; default: it is opened as it is there
   */
  static async of(folder: string, rest?: Rest): Promise<StoreKeeper> {
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
   * @returns what was done to it, and is mended, if anything
   * @throws ConnectError WRITE_FAILED, HUB_DATA_DAMAGED if it can't be opened
   * @throws StoreError, the system's error, or SQLite's if the files are not as they should be
   */
  hold(): Mishap | undefined {
    const rest = this.#rest
    if (!this.#store && rest) return this.#wake(rest)
    this.#store ??= this.#open()
    return this.#store.hold() ? 'deleted' : undefined
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

  #wake(rest: Rest): Mishap | undefined {
    const files = (this.#files ??= new DatabaseFiles(rest))
    if (files.areMissing()) {
      files.writeAnew(rest)
      this.#mishap = 'deleted'
    }
    this.#store = this.#openThat(files, rest.mark)
    this.#files = undefined
    const mishap = this.#mishap
    this.#mishap = undefined
    return mishap
  }

  #openThat(files: DatabaseFiles, { id, generation }: Mark): Store {
    const store = this.#open(id)
    try {
      // SQLite would have begun another one in the place of one that was deleted just now.
      if (files.areMissing()) throw storageError('its database was deleted')
      if (store.mark.generation < generation) {
        store.revokeTokens(generation)
        this.#mishap = 'older'
      }
      return store
    } catch (error) {
      store.close()
      throw error
    }
  }
}
