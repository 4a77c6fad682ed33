import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { dataFolder } from '../../config/instance.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { readJson } from '../../files/read-json.ts'
import { removeEmptyFolders, type FolderReceipt } from '../made-folders.ts'
import { readLingering, setLingering } from './manager/lingering.ts'
import type { UnitNames } from './manager/names.ts'
import type { UserManager } from './manager/systemctl.ts'

/** What install changes besides its unit, and uninstall undoes: for all instances of this user together. */
const InstallReceipt = v.object({
  version: v.literal(1),
  /** Folders that were not there before, the outermost first. */
  folders: v.array(v.string()),
  /** Lingering was off before, and is on because we asked for it. */
  lingering: v.boolean(),
})
export type InstallReceipt = Omit<v.InferOutput<typeof InstallReceipt>, 'version'>

const NONE: InstallReceipt = { folders: [], lingering: false }

function receiptFile(home: string): string {
  return path.join(dataFolder(home), 'systemd.json')
}

/** @throws ConnectError CONFIG_UNREADABLE, CONFIG_DAMAGED, CONFIG_NEWER */
export function readReceipt(home: string): InstallReceipt {
  const receipt = readJson(receiptFile(home), InstallReceipt, { version: 1, damaged: 'CONFIG_DAMAGED' })
  return receipt ? { folders: receipt.folders, lingering: receipt.lingering } : NONE
}

/** @throws ConnectError WRITE_FAILED */
export function writeReceipt(home: string, receipt: InstallReceipt): void {
  ensurePrivateFolder(dataFolder(home))
  writeFileAtomic(receiptFile(home), `${JSON.stringify({ version: 1, ...receipt }, null, 2)}\n`)
}

/** Of the folders that were made. */
export function folderReceipt(home: string): FolderReceipt<InstallReceipt> {
  return { read: () => readReceipt(home), write: (receipt) => writeReceipt(home, receipt) }
}

/**
 * Sees to it that this user lingers, and remembers it if that was not so before.
 *
 * @returns why they don't; undefined if they do
 */
export async function enableLingering(manager: UserManager, home: string): Promise<string | undefined> {
  if ((await readLingering(manager)) === 'on') return undefined
  const why = await setLingering(manager, 'on')
  if (why === undefined) writeReceipt(home, { ...readReceipt(home), lingering: true })
  return why
}

/**
 * Removes the folders that install has made, where nobody has put anything into them since, and
 * forgets it all.
 */
export function clearReceipt(home: string): void {
  removeEmptyFolders(readReceipt(home).folders)
  rmSync(receiptFile(home), { force: true })
}

/**
 * Once no instance is installed any more: leaves the folders and the lingering as they were.
 *
 * @returns what could not be undone
 */
export async function tidyUp({
  names,
  manager,
  home,
}: {
  readonly names: UnitNames
  readonly manager: UserManager
  readonly home: string
}): Promise<string[]> {
  const units = existsSync(names.folder) ? readdirSync(names.folder) : []
  if (units.some((name) => /^private-connect(-.*)?\.service$/.test(name))) return []
  const { lingering } = readReceipt(home)
  clearReceipt(home)
  const refused = lingering ? await setLingering(manager, 'off') : undefined
  return refused === undefined ? [] : [`Lingering is still on: ${refused}`]
}
