import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { codeOf } from '../errors.ts'
import { missingHome } from './home.ts'

/** A folder that only the administrator, or a disk that is mounted, can bring. */
export class NoHomeError extends Error {
  override readonly name = 'NoHomeError'
}

/**
 * Makes a folder that is closed to others (0700), and those above it, unless it is there. Not by
 * mkdir's `recursive`, which never returns where a folder can't be made although the one above it is
 * there, as in /proc.
 *
 * @throws NoHomeError if it would have to make a home folder: the disk that holds the real one is not there
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  if (folder === path.resolve(homedir())) throw new NoHomeError(missingHome(folder))
  const above = path.dirname(folder)
  if (above !== folder) makeFolder(above)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
