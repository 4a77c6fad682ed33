import type { DatabaseSync } from '../../files/sqlite.ts'

/**
 * Does all of the work, or nothing of it.
 *
 * Its process is the writer from the start (IMMEDIATE): of two that start on an empty folder only one may
 * create the tables.
 *
 * @throws what the work throws, or SQLite's error
 */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // On a full disk and the like SQLite has done so itself (https://sqlite.org/lang_transaction.html).
  }
}
