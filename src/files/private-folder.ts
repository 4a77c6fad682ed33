import { chmodSync, lstatSync, statSync, type Stats } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../errors.ts'
import { makeFolder, NoHomeError } from './make-folder.ts'
import { checkWay } from './trust.ts'

const SET_HOME = 'Set HOME to a folder that is there and belongs to this user: HOME=/FOLDER connect …'

/**
 * Makes sure that a folder of ours exists, is a folder of this user, and is closed to others (0700).
 *
 * @param options.inSharedFolder others may write beside it (as in /tmp), so a link there is not followed
 * @throws ConnectError WRITE_FAILED if it cannot be made or belongs to someone else, FILE_UNTRUSTED if what
 * leads to it does
 */
export function ensurePrivateFolder(folder: string, options: { inSharedFolder?: boolean } = {}): void {
  try {
    if (process.platform === 'win32') return makeFolder(folder)
    checkIsMine(statSync(folder, { throwIfNoEntry: false }))
    checkWay(path.resolve(folder))
    makeFolder(folder)
    const found = options.inSharedFolder ? lstatSync(folder) : statSync(folder)
    if (!found.isDirectory()) throw new Error('not a folder')
    checkIsMine(found)
    if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700)
  } catch (error) {
    if (error instanceof ConnectError) throw error
    throw new ConnectError('WRITE_FAILED', `Could not use the folder ${folder}: ${messageOf(error)}`, {
      cause: error,
      ...(error instanceof NoHomeError && { hints: [SET_HOME] }),
    })
  }
}

function checkIsMine(found: Stats | undefined): void {
  if (found && found.uid !== process.getuid?.()) throw new Error('it belongs to another user')
}
