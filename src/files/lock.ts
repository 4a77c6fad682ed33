import { closeSync, existsSync, openSync } from 'node:fs'
import { ConnectError, messageOf } from '../errors.ts'
import { isBusy, loadSqlite } from './sqlite.ts'

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
    closeSync(openSync(file, 'a', 0o600))
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      database.exec('BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      if (isBusy(error)) return undefined
      throw error
    }
    return { release: () => database.close() }
  } catch (error) {
    throw new ConnectError('WRITE_FAILED', `Could not lock ${file}: ${messageOf(error)}`, { cause: error })
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
    throw new ConnectError('CONFIG_UNREADABLE', `Could not look at the lock ${file}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
