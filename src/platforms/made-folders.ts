import { existsSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../errors.ts'

/** What would have to be made for a folder to be there, the outermost first. */
export function missingFolders(folder: string): string[] {
  const missing: string[] = []
  for (let parent = folder; !existsSync(parent); parent = path.dirname(parent)) missing.unshift(parent)
  return missing
}

/** Removes folders, the outermost first, where nobody has put anything into them since they were made. */
export function removeEmptyFolders(folders: readonly string[]): void {
  for (const folder of folders.toReversed()) {
    try {
      rmdirSync(folder)
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error
    }
  }
}
