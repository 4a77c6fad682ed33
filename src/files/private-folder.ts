import { chmodSync, lstatSync, statSync } from 'node:fs'
import { ConnectError, messageOf } from '../errors.ts'
import { makeFolder, NoHomeError } from './make-folder.ts'

const SET_HOME = 'Set HOME to a folder that is there and belongs to this user: HOME=/FOLDER connect …'

/**
 * Makes sure that a folder of ours exists, is a folder of this user, and is closed to others (0700).
 *
 * @param options.inSharedFolder others may write beside it (as in /tmp), so a link there is not followed
 * @throws ConnectError WRITE_FAILED if it cannot be made or belongs to someone else
 */
export function ensurePrivateFolder(folder: string, options: { inSharedFolder?: boolean } = {}): void {
  try {
    makeFolder(folder)
    if (process.platform === 'win32') return
    const found = options.inSharedFolder ? lstatSync(folder) : statSync(folder)
    if (!found.isDirectory()) throw new Error('not a folder')
    if (found.uid !== process.getuid?.()) throw new Error('it belongs to another user')
    if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700)
  } catch (error) {
    throw new ConnectError('WRITE_FAILED', `Could not use the folder ${folder}: ${messageOf(error)}`, {
      cause: error,
      ...(error instanceof NoHomeError && { hints: [SET_HOME] }),
    })
  }
}
