import { statfsSync } from 'node:fs'
import path from 'node:path'
import { codeOf, ConnectError, messageOf } from '../../errors.ts'
import { isNoDatabase, sqliteCode } from '../../files/sqlite.ts'

/**
 * What an error of the database means: `damaged` is the only kind that ends a hub; `storage` may heal, and is
 * worth another try; `rejected` is a statement that fails each time.
 */
export type StoreErrorKind = 'damaged' | 'storage' | 'rejected'

/** What went wrong, in a form that another thread can be told: an error would lose its class on the way. */
export interface StoreFailure {
  readonly kind: StoreErrorKind
  /** For people, after "the hub can't save it: ". */
  readonly reason: string
}

/** The database did not do what was asked of it. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly kind: StoreErrorKind

  constructor({ kind, reason }: StoreFailure) {
    super(reason)
    this.kind = kind
  }
}

/** Someone has put another file in the place of the hub's database. */
export const REPLACED = 'its database was replaced'

/** Someone has written something else into the very file: what was in it is nowhere else. */
export const OVERWRITTEN = 'its database was overwritten'

/** What may heal. */
export function storageError(reason: string): StoreError {
  return new StoreError({ kind: 'storage', reason })
}

const DISK_FULL = 'its disk is full'

/** Codes that say nothing about the database itself (https://sqlite.org/rescode.html), and what is wrong. */
const STORAGE = new Map<number | undefined, string>([
  [3, 'its database may not be written'],
  [5, 'its database is locked by another program'],
  [6, 'its database is locked'],
  [7, 'it is out of memory'],
  [8, 'its database can only be read'],
  [10, 'its disk does not work'],
  [13, DISK_FULL],
  [14, 'its database can’t be opened'],
  [15, 'its database is locked by another program'],
])

/** Errors of the system that say nothing about the database either. */
const BLOCKED = new Set<string | undefined>(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'])

/**
 * @param folder where the database lies
 * @param check looks through the database, and throws if it is damaged; default: taken to be sound
 */
export function failureOf(error: unknown, folder: string, check?: () => void): StoreFailure {
  if (error instanceof StoreError) return { kind: error.kind, reason: error.message }
  // It could not be opened: the cause has the words for that.
  if (error instanceof ConnectError && error.code === 'WRITE_FAILED' && error.cause !== undefined)
    return failureOf(error.cause, folder, check)
  if (isNoDatabase(error) || (error instanceof ConnectError && error.code === 'HUB_DATA_DAMAGED'))
    return { kind: 'damaged', reason: messageOf(error) }
  const code = sqliteCode(error)
  const known = STORAGE.get(code)
  if (known !== undefined) return { kind: 'storage', reason: isFull(folder) ? DISK_FULL : known }
  // Noise in the file can look like anything: "unsupported file format" is the same code as a bad statement.
  if (code !== undefined) return { kind: isSound(check) ? 'rejected' : 'damaged', reason: messageOf(error) }
  const isSystem = codeOf(error) !== undefined
  return { kind: isSystem ? 'storage' : 'rejected', reason: messageOf(error) }
}

/** What a user is told of an error of the database; any other error is returned as it is. */
export function storeErrorOf(folder: string, error: unknown): unknown {
  if (error instanceof ConnectError || sqliteCode(error) === undefined) return error
  const { kind, reason } = failureOf(error, folder)
  const code = kind === 'damaged' ? 'HUB_DATA_DAMAGED' : 'WRITE_FAILED'
  const why = kind === 'storage' ? `${messageOf(error)} (${reason})` : messageOf(error)
  return new ConnectError(code, `Could not change the hub’s data in ${folder}: ${why}`, { cause: error })
}

/** Why a database can't be opened. What isn't a hub's database counts as damaged; a full disk does not. */
export function cannotOpen(file: string, error: unknown): ConnectError {
  if (error instanceof ConnectError) return error
  const known = STORAGE.has(sqliteCode(error))
  const code = known || BLOCKED.has(codeOf(error)) ? 'WRITE_FAILED' : 'HUB_DATA_DAMAGED'
  const why = known && isFull(path.dirname(file)) ? `${messageOf(error)} (${DISK_FULL})` : messageOf(error)
  return new ConnectError(code, `Could not open ${file}: ${why}`, { cause: error })
}

function isSound(check: (() => void) | undefined): boolean {
  try {
    check?.()
    return true
  } catch (error) {
    return STORAGE.has(sqliteCode(error))
  }
}

/** SQLite reports a full disk by one of many codes, according to the file that there was no room for. */
function isFull(folder: string): boolean {
  try {
    return statfsSync(folder).bavail === 0
  } catch {
    return false
  }
}
