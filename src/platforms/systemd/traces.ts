import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { dataFolder } from '../../config/instance.ts'
import { writeFileAtomic } from '../../files/atomic-write.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { readJson } from '../../files/read-json.ts'
import { missingFolders, removeEmptyFolders } from '../made-folders.ts'

/** What install changes besides its unit, and uninstall undoes: for all instances of this user together. */
const Traces = v.object({
  version: v.literal(1),
  /** Folders that were not there before, the outermost first. */
  folders: v.array(v.string()),
  /** It was off before, and is on because we asked for it. */
  lingering: v.boolean(),
})
export type Traces = Omit<v.InferOutput<typeof Traces>, 'version'>

const NONE: Traces = { folders: [], lingering: false }

function traceFile(home: string): string {
  return path.join(dataFolder(home), 'systemd.json')
}

/** @throws ConnectError CONFIG_UNREADABLE, CONFIG_DAMAGED, CONFIG_NEWER */
export function readTraces(home: string): Traces {
  const traces = readJson(traceFile(home), Traces, { version: 1, damaged: 'CONFIG_DAMAGED' })
  return traces ? { folders: traces.folders, lingering: traces.lingering } : NONE
}

/** @throws ConnectError WRITE_FAILED */
export function writeTraces(home: string, traces: Traces): void {
  ensurePrivateFolder(dataFolder(home))
  writeFileAtomic(traceFile(home), `${JSON.stringify({ version: 1, ...traces }, null, 2)}\n`)
}

/** Makes a folder, and remembers which of its parents were not there before. @throws Error, ConnectError WRITE_FAILED */
export function makeRememberedFolder(home: string, folder: string): void {
  const missing = missingFolders(folder)
  if (missing.length === 0) return
  const traces = readTraces(home)
  writeTraces(home, { ...traces, folders: [...new Set([...traces.folders, ...missing])] })
  // With the modes that the user gives to any folder.
  mkdirSync(folder, { recursive: true })
}

/** Removes the folders that install has made, where nobody has put anything into them since, and forgets it all. */
export function clearTraces(home: string): void {
  removeEmptyFolders(readTraces(home).folders)
  rmSync(traceFile(home), { force: true })
}
