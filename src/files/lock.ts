import { accessSync, closeSync, constants, existsSync, statSync, type Stats } from 'node:fs'
import type { ErrorCode } from '../error-codes.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { checkIsFile, NotAFileError } from './check-is-file.ts'
import { openOurs } from './open-ours.ts'
import { isBusy, isNoDatabase, loadSqlite, type DatabaseSync } from './sqlite.ts'
import { checkWay } from './trust.ts'

/** A lock that the kernel frees when its holder dies, however it dies. */
export interface FileLock {
  /**
   * Looks after a lock that is held for long: if its file was deleted or replaced, anyone could take
   * the new one.
   *
   * @returns whether it is held, if need be on the file that is there now; false if another
   * process was quicker
   * @throws ConnectError WRITE_FAILED if it can't be told, or not be made anew; it is held as before
   */
  look(): Promise<boolean>
  release(): void
}

/**
 * Takes the lock if it is free. Node.js has no flock; an exclusive SQLite transaction takes an fcntl lock,
 * which the kernel drops with the process (https://sqlite.org/lockingv3.html).
 *
 * @returns undefined if another process holds it
 * @throws ConnectError WRITE_FAILED if the lock file cannot be used, FILE_UNTRUSTED if it is not ours
 */
export async function tryLock(file: string): Promise<FileLock | undefined> {
  let held = await lockNow(file)
  return (
    held && {
      async look() {
        if (held === undefined || isSameFile(held.inode, inodeOf(file))) return held !== undefined
        const next = await lockNow(file)
        if (!next) return false
        held.database.close()
        held = next
        return true
      },
      release() {
        held?.database.close()
        held = undefined
      },
    }
  )
}

/** An exclusive transaction, and the file that it is on. */
interface Held {
  readonly database: DatabaseSync
  readonly inode: Inode
}

async function lockNow(file: string): Promise<Held | undefined> {
  const { DatabaseSync } = await loadSqlite()
  try {
    checkIsFile(file)
    checkWay(file)
    // SQLite would make it 0644, and says less of what is wrong.
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK)
    else closeSync(openOurs(file, constants.O_CREAT | constants.O_RDWR))
    const inode = statSync(file)
    const database = new DatabaseSync(file, { timeout: 0 })
    try {
      // Nothing is ever written, so there is no journal to keep: on a full disk it could not be made.
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    } catch (error) {
      database.close()
      if (isBusy(error)) return undefined
      throw error
    }
    return { database, inode }
  } catch (error) {
    throw lockError('WRITE_FAILED', `Could not lock ${file}`, error)
  }
}

/**
 * Whether another process holds the lock. Only looks: it needs no right to write, and two who look at once
 * don't take each other for the holder.
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

type Inode = Pick<Stats, 'dev' | 'ino'>

/** @returns undefined if there is no such file */
function inodeOf(file: string): Inode | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    throw lockError('WRITE_FAILED', `Could not look at the lock ${file}`, error)
  }
}

function isSameFile(one: Inode, other: Inode | undefined): boolean {
  return one.dev === other?.dev && one.ino === other.ino
}

function lockError(code: ErrorCode, what: string, error: unknown): ConnectError {
  if (error instanceof ConnectError) return error
  const hints = ['If no agent runs here, remove it: nothing is kept in it.']
  return new ConnectError(code, `${what}: ${messageOf(error)}`, {
    cause: error,
    ...((isNoDatabase(error) || error instanceof NotAFileError) && { hints }),
  })
}
