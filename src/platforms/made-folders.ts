import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../errors.ts'

/** What remembers the folders that were made, in a file. */
export interface FolderReceipt<Receipt> {
  readonly read: () => Receipt
  readonly write: (receipt: Receipt) => void
}

/**
 * Makes a folder, and remembers which of its parents were not there before.
 *
 * @throws Error, or what the receipt throws
 */
export function makeRecordedFolder<Receipt extends { readonly folders: readonly string[] }>(
  folder: string,
  { read, write }: FolderReceipt<Receipt>,
): void {
  const missing = missingFolders(folder)
  if (missing.length === 0) return
  const receipt = read()
  write({ ...receipt, folders: [...new Set([...receipt.folders, ...missing])] })
  // The folders get the modes that the user gives to any folder.
  mkdirSync(folder, { recursive: true })
}

/** What would have to be made for a folder to be there, the outermost first. */
function missingFolders(folder: string): string[] {
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
