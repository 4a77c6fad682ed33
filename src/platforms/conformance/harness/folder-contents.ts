import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'

/**
 * Every file, folder and link under some folders, and what it holds. Sockets and pipes are listed, not read.
 */
export function contentsOf(folders: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const folder of folders.filter((name) => existsSync(name))) {
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const file = path.join(folder, entry)
      const contents = readAny(file)
      if (contents !== undefined) found.set(file, contents)
    }
  }
  return found
}

/** @returns undefined if the file is gone meanwhile */
function readAny(file: string): string | undefined {
  try {
    const found = lstatSync(file)
    if (found.isSymbolicLink()) return `-> ${readlinkSync(file)}`
    return found.isFile() ? readFileSync(file, 'latin1') : ''
  } catch {
    return undefined
  }
}

/** The paths that came, went or changed. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const all = new Set([...before.keys(), ...after.keys()])
  return [...all].filter((file) => before.get(file) !== after.get(file)).toSorted()
}
