import { closeSync, constants, copyFileSync, existsSync, fstatSync, openSync, statSync } from 'node:fs'
import { ConnectError, ERRORS, messageOf } from '../../errors.ts'
import { NotAFileError } from '../../files/check-is-file.ts'
import { loadSqlite, sqliteCode } from '../../files/sqlite.ts'
import { checkTrusted } from '../../files/trust.ts'
import { Store } from '../store/store.ts'
import { readContents, removeNotes, type Contents } from './notes.ts'

/**
 * Copies a backup, and brings the copy to what this version works with; all of it is looked through. The
 * backup itself is only read.
 *
 * @param file absolute
 * @param folder ours alone, and empty; the copy is its hub.db
 * @throws ConnectError BACKUP_UNUSABLE, FILE_UNTRUSTED, WRITE_FAILED
 */
export async function openBackup(file: string, folder: string, copy: string): Promise<Contents> {
  copyTrusted(file, copy)
  const sqlite = await loadSqlite()
  try {
    const contents = readContents(sqlite, copy)
    if (!contents) throw new Error('it is not the database of a hub')
    removeNotes(sqlite, copy)
    const store = await Store.open(folder)
    try {
      // Another program's tables can have the same names.
      store.snapshot()
    } finally {
      store.close()
    }
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
    } finally {
      closeSync(descriptor)
    }
    const wal = `${file}-wal`
    if (existsSync(wal) && statSync(wal).size > 0)
      throw new Error(`a part of it is in ${wal}, so it is the database of a hub and no backup`)
    copyFileSync(file, copy, constants.COPYFILE_EXCL)
  } catch (error) {
    throw unusable(file, error)
  }
}

/** A full disk is nobody's fault but the disk's. */
function unusable(file: string, error: unknown): unknown {
  if (error instanceof ConnectError && error.code !== 'HUB_DATA_DAMAGED') return error
  const isFull = sqliteCode(error) === 13 || (error as { code?: string }).code === 'ENOSPC'
  if (isFull)
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
