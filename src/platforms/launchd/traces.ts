import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { dataFolder } from '../../config/instance.ts'
import { writeFileAtomic } from '../../files/atomic-write.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { readJson } from '../../files/read-json.ts'
import { missingFolders, removeEmptyFolders } from '../made-folders.ts'
import type { JobPlace } from './job-place.ts'

/** What we know of launchd’s jobs that it does not: for all instances of this user together. */
const Traces = v.object({
  version: v.literal(1),
  /** Folders that were not there before install, the outermost first. */
  folders: v.array(v.string()),
  /** By label: how often launchd had started it when a command of ours last saw to it that it runs. */
  runs: v.record(v.string(), v.number()),
})
export type Traces = Omit<v.InferOutput<typeof Traces>, 'version'>

const NONE: Traces = { folders: [], runs: {} }

function traceFile(home: string): string {
  return path.join(dataFolder(home), 'launchd.json')
}

/** @throws ConnectError CONFIG_UNREADABLE, CONFIG_DAMAGED, CONFIG_NEWER */
export function readTraces(home: string): Traces {
  return readJson(traceFile(home), Traces, { version: 1, damaged: 'CONFIG_DAMAGED' }) ?? NONE
}

function writeTraces(home: string, { folders, runs }: Traces): void {
  ensurePrivateFolder(dataFolder(home))
  writeFileAtomic(traceFile(home), `${JSON.stringify({ version: 1, folders, runs }, null, 2)}\n`)
}

/** Makes a folder, and remembers which of its parents were not there before. @throws Error, ConnectError WRITE_FAILED */
export function makeRememberedFolder(home: string, folder: string): void {
  const missing = missingFolders(folder)
  if (missing.length === 0) return
  const traces = readTraces(home)
  writeTraces(home, { ...traces, folders: [...new Set([...traces.folders, ...missing])] })
  mkdirSync(folder, { recursive: true })
}

/** @throws ConnectError WRITE_FAILED */
export function rememberRuns({ home, label }: JobPlace, count: number): void {
  const traces = readTraces(home)
  if (traces.runs[label] !== count) writeTraces(home, { ...traces, runs: { ...traces.runs, [label]: count } })
}

/** @returns how often launchd has started it again by itself */
export function restartsSince({ home, label }: JobPlace, count: number): number {
  const remembered = readTraces(home).runs[label] ?? 1
  // launchd counts anew from each login.
  return Math.max(0, count - (remembered > count ? 1 : remembered))
}

/** Forgets a job. With the last one go the folders that were made, where nobody has put anything since. */
export function clearTraces({ home, label, folder }: JobPlace): void {
  const { folders, runs } = readTraces(home)
  const { [label]: _, ...others } = runs
  const plists = existsSync(folder) ? readdirSync(folder) : []
  if (plists.some((name) => /^co\.privateconnect\.agent(\..*)?\.plist$/.test(name)))
    return writeTraces(home, { folders, runs: others })
  removeEmptyFolders(folders)
  rmSync(traceFile(home), { force: true })
}
