import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import path from 'node:path'
import { codeOf, ConnectError, messageOf } from '../../errors.ts'
import { openOurs } from '../open-ours.ts'
import { checkWay } from '../trust.ts'
import { closeSynced } from './close-synced.ts'
import { removeLeftovers, temporaryFor } from './leftovers.ts'
import { syncFolder } from './sync-folder.ts'

/** File systems that know no hard links say so by one of these (link(2)). */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Makes a file where there is none: written beside it, synced, and then put in its place. Never over a file,
 * and through no link. A kill leaves at most a folder beside it, which a later call clears away.
 *
 * @param file absolute
 * @param write fills a file that is there, empty, and ours alone (0600); it may make others beside that
 * @throws ConnectError FILE_EXISTS, WRITE_FAILED, FILE_UNTRUSTED if the folder, or a link to it, is another
 * user's; then nothing is left
 */
export function writeNewFile<T>(file: string, write: (beside: string) => T): T {
  checkNewFile(file)
  const own = path.join(path.dirname(file), '.private-connect')
  const temporary = temporaryFor(own)
  try {
    mkdirSync(temporary, { mode: 0o700 })
    const beside = path.join(temporary, 'new')
    const descriptor = openOurs(beside, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR)
    let result: T
    try {
      result = write(beside)
      fsyncSync(descriptor)
    } finally {
      closeSynced(descriptor)
    }
    putInPlace(beside, file)
    syncFolder(path.dirname(file))
    return result
  } catch (error) {
    throw writeFailed(file, error)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
    removeLeftovers(own)
  }
}

/**
 * Looks whether a file could be made there, for what takes long until it is: nothing is made.
 *
 * @param file absolute
 * @throws ConnectError FILE_EXISTS, WRITE_FAILED, FILE_UNTRUSTED as writeNewFile
 */
export function checkNewFile(file: string): void {
  const folder = path.dirname(file)
  try {
    if (lstatSync(file, { throwIfNoEntry: false })) throw alreadyThere(file)
    checkWay(folder)
    // What is no folder is refused by the dot.
    accessSync(`${folder}/.`, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw writeFailed(file, error)
  }
}

function writeFailed(file: string, error: unknown): ConnectError {
  if (error instanceof ConnectError) return error
  const isNowhere = codeOf(error) === 'ENOENT'
  const why = isNowhere ? 'its folder does not exist' : messageOf(error)
  return new ConnectError('WRITE_FAILED', `Could not write ${file}: ${why}`, {
    cause: error,
    ...(isNowhere && { hints: ['Make that folder, or give another path.'] }),
  })
}

/** Unlike a rename, a link fails if there is a file by now. */
function putInPlace(beside: string, file: string): void {
  try {
    linkSync(beside, file)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw alreadyThere(file)
    if (!NO_LINKS.has(codeOf(error))) throw error
    takeThePlace(file)
    renameSync(beside, file)
  }
}

function takeThePlace(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? alreadyThere(file) : error
  }
}

function alreadyThere(file: string): ConnectError {
  return new ConnectError('FILE_EXISTS', `There is something at ${file} already`)
}
