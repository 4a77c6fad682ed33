import { closeSync, constants, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { openOurs } from '../../files/open-ours.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import {
  isNoDatabase,
  isUnreadable,
  quickCheck,
  type DatabaseSync,
  type loadSqlite,
  type StatementSync,
} from '../../files/sqlite.ts'
import { DatabaseFiles } from './database-files.ts'
import { OverwriteGuard } from './overwrite-guard.ts'
import { restOf, settledState, type Rest } from './rest.ts'
import { markOf, migrate, type Mark } from './schema.ts'
import { cannotOpen, OVERWRITTEN, StoreError, storageError } from './store-error.ts'

type Sqlite = Awaited<ReturnType<typeof loadSqlite>>

/** A hub's database while it is open: where what is written stays, whatever is done to its files. */
export class HeldDatabase {
  readonly #file: string
  readonly #Database: Sqlite['DatabaseSync']
  readonly #statements = new Map<string, StatementSync>()
  #database: DatabaseSync
  /** Known from the first hold() on. */
  #files: DatabaseFiles | undefined
  #guard: OverwriteGuard | undefined

  /**
   * @param hubId whose it is; default: anyone's, and where there is none it is made
   * @throws ConnectError WRITE_FAILED, HUB_DATA_DAMAGED
   * @throws StoreError if it is another hub's, or nobody's
   */
  constructor({ DatabaseSync }: Sqlite, folder: string, hubId?: string) {
    const file = path.join(folder, 'hub.db')
    ensurePrivateFolder(folder)
    this.#file = file
    this.#Database = DatabaseSync
    try {
      // SQLite would make it 0644; its journal files take the mode of this one.
      closeSync(openOurs(file, constants.O_CREAT | constants.O_RDWR))
      this.#database = openDatabase(this.#Database, this.#file)
      try {
        // Damage is found now, and not when the hub has run for a week.
        this.check()
        if (hubId !== undefined && markOf(this.#database)?.id !== hubId) throw storageError(OVERWRITTEN)
        migrate(this.#database)
      } catch (error) {
        this.close()
        throw error
      }
    } catch (error) {
      throw error instanceof StoreError ? error : cannotOpen(file, error)
    }
  }

  /**
   * Sees to it that what is written is where a hub that starts will look for it: files of the database that
   * were deleted, or a -wal file that was cut short, are written anew. What someone has put in their place,
   * or written into the file itself, is left as it is.
   *
   * @returns whether there were such
   * @throws StoreError, the system's error, or SQLite's if the files are not as they should be
   */
  hold(): boolean {
    this.#files ??= new DatabaseFiles(this.#file)
    if (this.#files.areMissing()) this.#files.writeAnew(this.#database)
    else if (this.#files.isWalCut(() => this.#walLength())) this.#writeWhatIsLeft(this.#files)
    else {
      this.#guard ??= new OverwriteGuard(this.#file, this.#database, this.#Database)
      this.#guard.check()
      return false
    }
    const before = this.#database
    this.#database = openDatabase(this.#Database, this.#file)
    this.#statements.clear()
    this.#files = undefined
    this.#guard = undefined
    before.close()
    this.check()
    return true
  }

  /**
   * Brings all that is written into the one file of the database, as far as nobody else stands in the way.
   *
   * @returns the state of that file; undefined if it is not all yet, or not for long enough
   */
  settle(): string | undefined {
    const { log, checkpointed } = this.#checkpoint()
    return log === checkpointed ? settledState(this.#file) : undefined
  }

  /**
   * Closes the database.
   *
   * @param state what `settle` has said before the last look at what is in it
   * @param held how it was left the last time
   * @throws StoreError, or the system's error; then it is open as before
   */
  rest(state: string, held?: Rest): Rest {
    const rest = restOf(realpathSync(this.#file), state, this.mark, held)
    this.#database.close()
    return rest
  }

  /** @throws Error if the database is damaged, or can't be read */
  check(): void {
    const damage = quickCheck(this.#database)
    if (damage !== undefined) throw new Error(damage)
  }

  /**
   * Writes all that is in it, as it is at this moment, into one file: what others write meanwhile is no part
   * of it.
   *
   * @param file one of ours, and empty; SQLite would make it 0644
   * @throws SQLite's error
   */
  copyTo(file: string): void {
    this.#database.prepare('VACUUM INTO ?').run(file)
  }

  close(): void {
    this.#database.close()
  }

  get mark(): Mark {
    return markOf(this.#database)!
  }

  /** Another number whenever another connection has changed the database (PRAGMA data_version of SQLite). */
  dataVersion(): number {
    return Number(this.prepared('PRAGMA data_version').get()!.data_version)
  }

  /** What SQLite has not read before the -wal file was cut, it can't read any more. */
  #writeWhatIsLeft(files: DatabaseFiles): void {
    try {
      files.writeAnew(this.#database)
    } catch (error) {
      if (isUnreadable(error) || isNoDatabase(error)) throw storageError(OVERWRITTEN)
      throw error
    }
  }

  /** How long SQLite takes the -wal file to be, in bytes (https://sqlite.org/fileformat2.html#walformat). */
  #walLength(): number {
    try {
      const frames = Number(this.#checkpoint().log)
      return frames && 32 + frames * (24 + Number(this.prepared('PRAGMA page_size').get()!.page_size))
    } catch {
      // It can't be read where it should be: to write it anew tells what is left.
      return Infinity
    }
  }

  #checkpoint() {
    // Unlike the other kinds it waits for nobody (https://sqlite.org/pragma.html#pragma_wal_checkpoint).
    return this.prepared('PRAGMA wal_checkpoint(PASSIVE)').get()!
  }

  /** As it is open now; `hold` may open it once more. */
  protected get database(): DatabaseSync {
    return this.#database
  }

  /** @returns the statement, prepared once: compiling one costs more than running it */
  protected prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/**
 * Opens a hub's database, in which what is written outlives a power cut.
 *
 * @param Database node:sqlite's class, which is loaded when it is needed
 * @throws Error if there was something in the file that is not there any more, or SQLite's error
 */
function openDatabase(Database: typeof DatabaseSync, file: string): DatabaseSync {
  if (wasEmptied(file)) throw new Error('it was emptied')
  const database = new Database(file, { timeout: 5000, enableForeignKeyConstraints: true })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** SQLite would take it for a new one, and delete its journal. */
function wasEmptied(file: string): boolean {
  const wal = statSync(`${file}-wal`, { throwIfNoEntry: false })
  return wal !== undefined && wal.size > 0 && statSync(file).size === 0
}
