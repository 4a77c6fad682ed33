import { chmodSync, lstatSync, statSync, type Stats } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../errors.ts'
import { shellQuote } from '../text/shell-quote.ts'
import { makeFolder, NoHomeError } from './make-folder.ts'
import { checkWay, hintsOnOwner } from './trust.ts'

const SET_HOME = 'Set HOME to a folder that is there and belongs to this user: HOME=/FOLDER connect …'

class OwnerError extends Error {
  override readonly name = 'OwnerError'
}

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
    const hints = hintsOn(error, folder, options)
    throw new ConnectError('WRITE_FAILED', `Could not use the folder ${folder}: ${messageOf(error)}`, {
      cause: error,
      ...(hints && { hints }),
    })
  }
}

function hintsOn(
  error: unknown,
  folder: string,
  { inSharedFolder = false }: { inSharedFolder?: boolean },
): string[] | undefined {
  if (error instanceof NoHomeError) return [SET_HOME]
  if (!(error instanceof OwnerError)) return undefined
  // What they have put there must not become ours.
  return inSharedFolder ? [`Have it deleted: sudo rm -r ${shellQuote(folder)}`] : hintsOnOwner(folder)
}

function checkIsMine(found: Stats | undefined): void {
  if (found && found.uid !== process.getuid?.()) throw new OwnerError('it belongs to another user')
}
