import { lstatSync, readdirSync, type Stats } from 'node:fs'
import path from 'node:path'
import { ownsFolder, userFolder, type Instance } from '../../../config/instance.ts'
import { codeOf } from '../../../errors.ts'
import { belongsToUs, checkWay } from '../../../files/trust.ts'
import type { Patient } from '../../context.ts'

/** A file or folder of ours, as it is now. */
export interface OurFile {
  readonly file: string
  readonly found: Stats
}

/** Beyond that somebody else keeps things there: enough is seen by then. */
const MAX_FILES = 2000

/** What is compiled is made anew at any time, and has many files. */
const CACHE = 'cache'

/**
 * All that an instance has on the disk: its folder with all that lies in it, where that is ours alone; else
 * the files that are named for it. What lies in a folder of another user is left out, and so are links: what
 * they lead to is somebody's own affair. Only the folder itself may be one, as to another disk.
 *
 * @throws ConnectError FILE_UNTRUSTED if another user could have it lead elsewhere
 */
export function ourFiles({ instance, home }: Pick<Patient, 'instance' | 'home'>): OurFile[] {
  const seen: OurFile[] = []
  if (ownsFolder(instance, home)) gather(instance.folder, seen, lookThrough(instance.folder))
  else for (const file of namedFiles(instance)) gather(file, seen)
  gather(userFolder(home), seen)
  return seen
}

/** Those that an instance has in a folder that others use, too. */
export function namedFiles(instance: Instance): string[] {
  const files = Object.entries(instance).flatMap(([key, value]) =>
    /(File|Path)$/.test(key) && typeof value === 'string' ? [value] : [],
  )
  return [...new Set(files)]
}

/** One that has another name, too, may be a file of somebody else, or of the system: a hard link. */
export function hasOtherNames({ found }: OurFile): boolean {
  return found.isFile() && found.nlink > 1
}

function gather(file: string, seen: OurFile[], found = look(file)): void {
  if (!found || found.isSymbolicLink() || seen.length >= MAX_FILES) return
  seen.push({ file, found })
  if (!found.isDirectory() || !belongsToUs(found) || path.basename(file) === CACHE) return
  for (const name of namesIn(file)) gather(path.join(file, name), seen)
}

function lookThrough(folder: string): Stats | undefined {
  const found = look(folder)
  return found?.isSymbolicLink() ? look(checkWay(folder)) : found
}

/** Undefined if it is not there, or hidden by a folder that is closed: that one is seen. */
function look(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false })
  } catch (error) {
    if (!isClosed(error)) throw error
    return undefined
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (!isClosed(error)) throw error
    return []
  }
}

function isClosed(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')
}
