import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs'
import { ConnectError, messageOf, type ErrorCode } from '../errors.ts'
import { checkIsFile, NotAFileError } from './check-is-file.ts'
import { isBusy, isNoDatabase, loadSqlite } from './sqlite.ts'

/** A lock that the kernel frees when its holder dies, however it dies. */
export interface FileLock {
  release(): void
}

/**
 * Takes the lock if it is free. Node.js has no flock; an exclusive SQLite transaction takes an fcntl lock, which the
 * kernel drops with the process (https://sqlite.org/lockingv3.html).
 *
 * @returns undefined if another process holds it
 * @throws ConnectError WRITE_FAILED if the lock file cannot be used
 */
export async function tryLock(file: string): Promise<FileLock | undefined> {
  const { DatabaseSync } = await loadSqlite()
  try {
    checkIsFile(file)
    // SQLite would make it 0644, and says less of what is wrong.
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK)
    else closeSync(openSync(file, 'a', 0o600))
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      // Nothing is ever written, so there is no journal to keep: on a full disk it could not be made.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      if (isBusy(error)) return undefined
      throw error
    }
    return { release: () => database.close() }
  } catch (error) {
    throw lockError('WRITE_FAILED', `Could not lock ${file}`, error)
  }
}

/**
 * Whether another process holds the lock. Only looks: it needs no right to write, and two who look at once don't take
 * each other for the holder.
 *
 * @throws ConnectError CONFIG_UNREADABLE if the lock file cannot be read
 */
export async function isLocked(file: string): Promise<boolean> {
  if (!existsSync(file)) return false
  const { DatabaseSync } = await loadSqlite()
  try {
    checkIsFile(file)
    accessSync(file, constants.R_OK)
    const database = new DatabaseSync(file, { readOnly: true, timeout: 0 })
    try {
      // Reading takes a shared lock, which an exclusive one excludes.
      database.exec('SELECT 1 FROM sqlite_schema')
      return false
    } catch (error) {
      if (isBusy(error)) return true
      throw error
    } finally {
      database.close()
    }
  } catch (error) {
    throw lockError('CONFIG_UNREADABLE', `Could not look at the lock ${file}`, error)
  }
}

function lockError(code: ErrorCode, what: string, error: unknown): ConnectError {
  const hints = ['If no agent runs here, remove it: nothing is kept in it.']
  return new ConnectError(code, `${what}: ${messageOf(error)}`, {
    cause: error,
    ...((isNoDatabase(error) || error instanceof NotAFileError) && { hints }),
  })
}
