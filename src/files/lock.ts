import { closeSync, openSync } from 'node:fs'
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
