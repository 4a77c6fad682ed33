import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { codeOf } from '../../errors.ts'
import { isMisfit, isNoDatabase, loadSqlite, quickCheck, type DatabaseSync } from '../../files/sqlite.ts'
import { markOf, type Mark } from '../store/schema.ts'

type Database = typeof DatabaseSync

/** What a look into a hub's database has found. */
export interface DatabaseLook {
  /** Undefined if there is no hub's in it. */
  readonly mark: Mark | undefined
  /** What is wrong with it; undefined if it is sound. */
  readonly damage: string | undefined
}

/**
 * Looks through a hub's database, and changes nothing: nor does it make a file beside it, be a hub at work or
 * not.
 *
 * @returns undefined if there is none
 * @throws SQLite's error, or the system's, if it can't be read
 */
export async function lookIntoDatabase(folder: string): Promise<DatabaseLook | undefined> {
  const file = path.join(folder, 'hub.db')
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found) return undefined
  // SQLite would wait for whoever writes into a FIFO.
  if (!found.isFile()) return { mark: undefined, damage: 'it is not a file' }
  const { DatabaseSync } = await loadSqlite()
  const isOpen = () => existsSync(`${file}-wal`)
  if (isOpen()) return look(() => openBeside(DatabaseSync, file))
  const alone = look(() => openAlone(DatabaseSync, file))
  // A hub that has opened it meanwhile may have changed it while it was read.
  return alone.damage !== undefined && isOpen() ? look(() => openBeside(DatabaseSync, file)) : alone
}

function look(open: () => DatabaseSync): DatabaseLook {
  let database: DatabaseSync | undefined
  try {
    database = open()
    const damage = quickCheck(database)
    return damage === undefined ? { mark: markOf(database), damage } : { mark: undefined, damage }
  } catch (error) {
    if (isNoDatabase(error)) return { mark: undefined, damage: (error as Error).message }
    if (isMisfit(error)) return { mark: undefined, damage: 'it is another program’s' }
    throw error
  } finally {
    database?.close()
  }
}

/** While another process has it open, with the files beside it that are there. */
function openBeside(Database: Database, file: string): DatabaseSync {
  return new Database(file, { readOnly: true, timeout: 1000 })
}

/** A reader in WAL mode would make these files, and can't remove them (https://sqlite.org/wal.html). */
function openAlone(Database: Database, file: string): DatabaseSync {
  try {
    return new Database(new URL('?immutable=1', pathToFileURL(file)), { readOnly: true })
  } catch (error) {
    // Before Node.js 22.15 no database is opened by a URL.
    if (codeOf(error) === 'ERR_INVALID_ARG_TYPE') return openBeside(Database, file)
    throw error
  }
}
