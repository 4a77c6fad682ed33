import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../errors.ts'
import { removeLeftovers, temporaryFor } from './leftovers.ts'

/** A file that is written but not yet in its place. */
export interface PendingWrite {
  /** @throws ConnectError WRITE_FAILED */
  commit(): void
  discard(): void
}

/**
 * Writes a file so that a kill at any moment leaves the old content or the new one: temporary file, fsync, rename,
 * fsync of the folder.
 *
 * @param mode permission bits of the new file, default 0600
 * @throws ConnectError WRITE_FAILED; the old file is then untouched
 */
export function writeFileAtomic(file: string, content: string, mode = 0o600): void {
  prepareWrite(file, content, mode).commit()
}

/**
 * Does all of writeFileAtomic that can run out of space or rights, for what must not fail any more after something
 * that can't be taken back.
 *
 * @throws ConnectError WRITE_FAILED
 */
export function prepareWrite(file: string, content: string, mode = 0o600): PendingWrite {
  const temporary = temporaryFor(file)
  const failed = (error: unknown) => {
    rmSync(temporary, { force: true })
    return new ConnectError('WRITE_FAILED', `Could not write ${file}: ${messageOf(error)}`, { cause: error })
  }
  try {
    const descriptor = openSync(temporary, 'wx', mode)
    try {
      fchmodSync(descriptor, mode)
      writeFileSync(descriptor, content)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
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
      syncFolder(path.dirname(file))
      removeLeftovers(file)
    },
    discard: () => rmSync(temporary, { force: true }),
  }
}

/** Makes a rename durable. Windows cannot open a folder, and needs none of this. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
