import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'

export type { DatabaseSync, SQLOutputValue, StatementSync }

/** Loads node:sqlite without the ExperimentalWarning that Node 22 prints for it on the first import. */
export async function loadSqlite(): Promise<typeof import('node:sqlite')> {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (String(warning).includes('SQLite')) return
    Reflect.apply(emitWarning, undefined, [warning, ...rest])
  }
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

/**
 * The primary result code (https://sqlite.org/rescode.html) of an error of SQLite's; node:sqlite gives the
 * extended one, whose low byte it is.
 */
export function sqliteCode(error: unknown): number | undefined {
  const isSqlite = error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
  return isSqlite ? Number(error.errcode) & 0xff : undefined
}

/**
 * @returns what is wrong with a database; undefined if it is sound
 * @throws SQLite's error if it can't be read
 */
export function quickCheck(database: DatabaseSync): string | undefined {
  const verdict = String(database.prepare('PRAGMA quick_check(1)').get()!.quick_check)
  // The first line only says which database it is.
  return verdict === 'ok' ? undefined : verdict.split('\n').at(-1)
}

/** SQLITE_ERROR: the statement makes no sense there, as where there is no such table. */
export function isMisfit(error: unknown): boolean {
  return sqliteCode(error) === 1
}

/** SQLITE_BUSY: another process holds the lock. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === 5
}

/** SQLITE_FULL: there is no room for what it would write. */
export function isFull(error: unknown): boolean {
  return sqliteCode(error) === 13
}

/** SQLITE_IOERR: part of it is not where it should be, or the disk can't give it. */
export function isUnreadable(error: unknown): boolean {
  return sqliteCode(error) === 10
}

/** SQLITE_READONLY: it would have to write, and may not. */
export function isReadOnly(error: unknown): boolean {
  return sqliteCode(error) === 8
}

/** SQLITE_CANTOPEN: one of its files can't be opened, or made. */
export function isNotOpened(error: unknown): boolean {
  return sqliteCode(error) === 14
}

/** SQLITE_CORRUPT or SQLITE_NOTADB: it is another program's file, or half of one. */
export function isNoDatabase(error: unknown): boolean {
  return [11, 26].includes(sqliteCode(error) ?? 0)
}
