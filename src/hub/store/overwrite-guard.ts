import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { codeOf } from '../../errors.ts'
import { isMisfit, isNoDatabase, quickCheck, type DatabaseSync } from '../../files/sqlite.ts'
import { fileState } from './rest.ts'
import { markOf, type Mark } from './schema.ts'
import { OVERWRITTEN, StoreError, storageError } from './store-error.ts'

/**
 * Notices that someone has written into the file of a database that is open. SQLite doesn't: it looks into
 * its cache and the -wal file first, and what it then writes there, a hub that starts would not find.
 *
 * In WAL mode nothing but a checkpoint changes the file (https://sqlite.org/wal.html), so it is looked into
 * only when its size or time has changed. In other modes SQLite looks at its header itself.
 */
export class OverwriteGuard {
  readonly #file: string
  readonly #database: DatabaseSync
  readonly #Database: typeof DatabaseSync
  readonly #own: Mark | undefined
  readonly #isWal: boolean
  #state: string | undefined
  /** What the file said without the journal, which may be nothing yet. */
  #mark: Mark | undefined

  /** @param file the one of the database, which was just opened, and is sound */
  constructor(file: string, database: DatabaseSync, Database: typeof DatabaseSync) {
    this.#file = file
    this.#database = database
    this.#Database = Database
    this.#own = markOf(database)
    this.#isWal = database.prepare('PRAGMA journal_mode').get()!.journal_mode === 'wal'
  }

  /** @throws StoreError if it was overwritten, SQLite's error, or the system's */
  check(): void {
    const state = fileState(this.#file)
    if (!this.#isWal || state === this.#state) return
    if (statSync(this.#file).size === 0) throw storageError(OVERWRITTEN)
    const alone = this.#readAlone()
    if (alone.isReadable && !this.#isLater(alone.mark)) throw storageError(OVERWRITTEN)
    // What is in its cache SQLite would not look at.
    this.#database.exec('PRAGMA shrink_memory')
    const damage = quickCheck(this.#database)
    if (damage !== undefined) throw new StoreError({ kind: 'damaged', reason: damage })
    // Another program's checkpoint can be half done: the next look tells.
    if (!alone.isReadable) throw storageError(OVERWRITTEN)
    this.#mark = alone.mark
    this.#state = state
  }

  /** An older copy of our own counts as overwritten, too: with the journal it would make a mixture. */
  #isLater(mark: Mark | undefined): boolean {
    if (!mark) return this.#mark === undefined
    return mark.id === this.#own?.id && mark.generation >= (this.#mark?.generation ?? 0)
  }

  /** What a program would read that has no journal beside it. */
  #readAlone(): { isReadable: boolean; mark?: Mark | undefined } {
    try {
      // Not by fs: to close its descriptor would end SQLite's locks (https://sqlite.org/howtocorrupt.html).
      const alone = new this.#Database(new URL('?immutable=1', pathToFileURL(this.#file)), { readOnly: true })
      try {
        return { isReadable: true, mark: markOf(alone) }
      } finally {
        alone.close()
      }
    } catch (error) {
      // Before Node.js 22.15 no database is opened by a URL.
      if (codeOf(error) === 'ERR_INVALID_ARG_TYPE') return { isReadable: true, mark: this.#mark }
      if (isNoDatabase(error) || isMisfit(error)) return { isReadable: false }
      throw error
    }
  }
}
