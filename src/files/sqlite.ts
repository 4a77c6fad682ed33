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

/** SQLITE_BUSY (https://sqlite.org/rescode.html#busy): another process holds the lock. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5
}

/** SQLITE_NOTADB or SQLITE_CORRUPT: it is another program's file, or half of one. */
export function isNoDatabase(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (error.errcode === 26 || error.errcode === 11)
}
