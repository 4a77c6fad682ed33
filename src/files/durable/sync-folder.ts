import { fsyncSync, openSync } from 'node:fs'
import { closeSynced } from './close-synced.ts'

/**
 * Opens a folder that is to be synced once a file is in its place: from then on nothing may fail any more.
 *
 * @returns undefined on Windows, which can't open a folder, and needs none of this
 */
export function openFolder(folder: string): number | undefined {
  return process.platform === 'win32' ? undefined : openSync(folder, 'r')
}

/** Makes the renames in an opened folder outlive a power cut, and closes it. */
export function syncAndClose(folder: number | undefined): void {
  if (folder === undefined) return
  try {
    fsyncSync(folder)
  } catch {
    // Not every file system can, and only a power cut within these seconds would tell.
  } finally {
    closeSynced(folder)
  }
}

/**
 * Makes the renames in a folder outlive a power cut, where a folder that can't be opened is no
 * reason to fail.
 */
export function syncFolder(folder: string): void {
  let opened: number | undefined
  try {
    opened = openFolder(folder)
  } catch {
    // Only a power cut within these seconds would tell.
  }
  syncAndClose(opened)
}
