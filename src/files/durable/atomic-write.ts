import { fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../../errors.ts'
import { checkWay } from '../trust.ts'
import { closeSynced } from './close-synced.ts'
import { removeLeftovers, temporaryFor } from './leftovers.ts'
import { openFolder, syncAndClose } from './sync-folder.ts'

/** A file that is written but not yet in its place. */
export interface PendingWrite {
  /** @throws ConnectError WRITE_FAILED */
  commit(): void
  discard(): void
}

/**
 * Writes a file so that a kill at any moment leaves the old content or the new one: temporary file, fsync,
 * rename, fsync of the folder.
 *
 * @param mode permission bits of the new file, default 0600
 * @throws ConnectError WRITE_FAILED; the old file is then untouched
 */
export function writeFileAtomic(file: string, content: string, mode = 0o600): void {
  prepareWrite(file, content, mode).commit()
}

/**
 * Does all of writeFileAtomic that can run out of space or rights, for what must not fail any more after
 * something that can't be taken back.
 *
 * @throws ConnectError WRITE_FAILED, FILE_UNTRUSTED if the folder, or a link to it, is another user's
 */
export function prepareWrite(file: string, content: string, mode = 0o600): PendingWrite {
  const temporary = temporaryFor(file)
  let folder: number | undefined
  const discard = () => {
    if (folder !== undefined) closeSynced(folder)
    folder = undefined
    rmSync(temporary, { force: true })
  }
  const failed = (error: unknown) => {
    // Nothing was made yet.
    if (error instanceof ConnectError) return error
    discard()
    return new ConnectError('WRITE_FAILED', `Could not write ${file}: ${messageOf(error)}`, { cause: error })
  }
  try {
    checkWay(path.dirname(path.resolve(file)))
    const descriptor = openSync(temporary, 'wx', mode)
    try {
      fchmodSync(descriptor, mode)
      writeFileSync(descriptor, content)
      fsyncSync(descriptor)
    } finally {
      closeSynced(descriptor)
    }
    folder = openFolder(path.dirname(file))
  } catch (error) {
    throw failed(error)
  }
  return {
    commit() {
      try {
        renameSync(temporary, file)
      } catch (error) {
        throw failed(error)
      }
      syncAndClose(folder)
      folder = undefined
      removeLeftovers(file)
    },
    discard,
  }
}
