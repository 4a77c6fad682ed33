import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { ERRORS } from '../../error-codes.ts'
import { codeOf, ConnectError, messageOf } from '../../errors.ts'
import { NotAFileError } from '../../files/check-is-file.ts'
import { isFull, loadSqlite } from '../../files/sqlite.ts'
import { checkTrusted } from '../../files/trust.ts'
import { Store } from '../store/store.ts'
import { checkNotes, checkRows } from './check-contents.ts'
import { readContents, withDatabase, type Contents } from './notes.ts'

/** How much of a file is copied at a time, in bytes. */
const PIECE_BYTES = 1024 * 1024

/**
 * Makes a database that has all of a backup, in tables of this version’s own; all of it is looked through.
 * The backup itself is only read, and whatever else is in it stays there.
 *
 * @param file absolute
 * @param folder ours alone, and empty; the database is its hub.db, whose join tokens are revoked
 * @throws ConnectError BACKUP_UNUSABLE, FILE_UNTRUSTED, WRITE_FAILED
 */
export async function openBackup(file: string, folder: string): Promise<Contents> {
  const given = path.join(folder, 'given')
  const copy = path.join(given, 'hub.db')
  mkdirSync(given, { mode: 0o700 })
  copyTrusted(file, copy)
  const sqlite = await loadSqlite()
  try {
    const contents = readContents(sqlite, copy)
    if (!contents) throw new Error('it is not the database of a hub')
    checkNotes(contents)
    // One of before lacks what was added since.
    const migrated = await Store.open(given)
    migrated.close()
    const store = await Store.open(folder)
    try {
      store.replaceWith(copy)
    } finally {
      store.close()
    }
    withDatabase(sqlite, path.join(folder, 'hub.db'), checkRows)
    return contents
  } catch (error) {
    throw unusable(file, error)
  }
}

function copyTrusted(file: string, copy: string): void {
  try {
    // NONBLOCK: a FIFO without a writer would be waited for, for ever.
    const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      const found = fstatSync(descriptor)
      if (!found.isFile()) throw new NotAFileError('it is not a file')
      checkTrusted(file, found)
      const wal = `${file}-wal`
      if (existsSync(wal) && statSync(wal).size > 0)
        throw new Error(`a part of it is in ${wal}, so it is the database of a hub and no backup`)
      copyFrom(descriptor, copy)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw unusable(file, error)
  }
}

/** By its name it could be another file by now. */
function copyFrom(descriptor: number, copy: string): void {
  const target = openSync(copy, 'wx', 0o600)
  try {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    for (let bytes = readSync(descriptor, piece); bytes > 0; bytes = readSync(descriptor, piece))
      writeFileSync(target, piece.subarray(0, bytes))
  } finally {
    closeSync(target)
  }
}

/** A full disk is nobody's fault but the disk's. */
function unusable(file: string, error: unknown): unknown {
  if (error instanceof ConnectError && error.code !== 'HUB_DATA_DAMAGED') return error
  if (isFull(error) || codeOf(error) === 'ENOSPC')
    return new ConnectError('WRITE_FAILED', `Could not copy ${file}: ${messageOf(error)}`, { cause: error })
  const isNewer = error instanceof ConnectError && error.hints.includes(ERRORS.CONFIG_NEWER.fix)
  const why =
    error instanceof ConnectError && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
  return new ConnectError(
    'BACKUP_UNUSABLE',
    isNewer ? `${file} was made by a newer version` : `${file} can’t be restored: ${why}`,
    { cause: error, ...(isNewer && { hints: [ERRORS.CONFIG_NEWER.fix] }) },
  )
}
