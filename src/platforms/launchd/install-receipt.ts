import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { dataFolder } from '../../config/instance.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { readJson } from '../../files/read-json.ts'
import { removeEmptyFolders, type FolderReceipt } from '../made-folders.ts'
import type { JobNames } from './manager/names.ts'

/** What we know of our jobs and launchd does not tell: for all instances of this user together. */
const InstallReceipt = v.object({
  version: v.literal(1),
  /** Folders that were not there before install, the outermost first. */
  folders: v.array(v.string()),
  /**
   * By label: how often launchd had started the job when a command of ours last saw to it that the job runs.
   */
  runs: v.record(v.string(), v.number()),
})
export type InstallReceipt = Omit<v.InferOutput<typeof InstallReceipt>, 'version'>

const NONE: InstallReceipt = { folders: [], runs: {} }

function receiptFile(home: string): string {
  return path.join(dataFolder(home), 'launchd.json')
}

/** @throws ConnectError CONFIG_UNREADABLE, CONFIG_DAMAGED, CONFIG_NEWER */
export function readReceipt(home: string): InstallReceipt {
  return readJson(receiptFile(home), InstallReceipt, { version: 1, damaged: 'CONFIG_DAMAGED' }) ?? NONE
}

function writeReceipt(home: string, { folders, runs }: InstallReceipt): void {
  ensurePrivateFolder(dataFolder(home))
  writeFileAtomic(receiptFile(home), `${JSON.stringify({ version: 1, folders, runs }, null, 2)}\n`)
}

/** Of the folders that were made. */
export function folderReceipt(home: string): FolderReceipt<InstallReceipt> {
  return { read: () => readReceipt(home), write: (receipt) => writeReceipt(home, receipt) }
}

/** @throws ConnectError WRITE_FAILED */
export function recordRuns({ home, label }: JobNames, count: number): void {
  const receipt = readReceipt(home)
  if (receipt.runs[label] !== count)
    writeReceipt(home, { ...receipt, runs: { ...receipt.runs, [label]: count } })
}

/** @returns how often launchd has started the job again by itself */
export function restartsSince({ home, label }: JobNames, count: number): number {
  const remembered = readReceipt(home).runs[label] ?? 1
  // launchd counts anew from each login.
  return Math.max(0, count - (remembered > count ? 1 : remembered))
}

/** Forgets a job. With the last one go the folders that were made, where nobody has put anything since. */
export function clearReceipt({ home, label, folder }: JobNames): void {
  const { folders, runs } = readReceipt(home)
  const { [label]: _, ...others } = runs
  const plists = existsSync(folder) ? readdirSync(folder) : []
  if (plists.some((name) => /^co\.privateconnect\.(agent|hub)(\..*)?\.plist$/.test(name)))
    return writeReceipt(home, { folders, runs: others })
  removeEmptyFolders(folders)
  rmSync(receiptFile(home), { force: true })
}
