import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { ConnectError, messageOf } from '../errors.ts'

/**
 * Writes a file so that a kill at any moment leaves the old content or the new one: temporary file, fsync, rename,
 * fsync of the folder.
 *
 * @param mode permission bits of the new file, default 0600
 * @throws ConnectError WRITE_FAILED; the old file is then untouched
 */
export function writeFileAtomic(file: string, content: string, mode = 0o600): void {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const descriptor = openSync(temporary, 'wx', mode)
    try {
      fchmodSync(descriptor, mode)
      writeFileSync(descriptor, content)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new ConnectError('WRITE_FAILED', `Could not write ${file}: ${messageOf(error)}`, { cause: error })
  }
  syncFolder(path.dirname(file))
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
