import path from 'node:path'
import * as v from 'valibot'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { readText } from '../../files/read-text.ts'
import { checkTrusted } from '../../files/trust.ts'

/** What is noted beside a hub's data of its last backup. */
const LastBackup = v.object({
  /** RFC 3339 */
  madeAt: v.pipe(v.string(), v.isoTimestamp()),
  /** Where it was written; it may have been taken elsewhere since. */
  file: v.string(),
  /** Which state of which hub is in it. */
  id: v.string(),
  generation: v.number(),
})
export type LastBackup = v.InferOutput<typeof LastBackup>

function noteFile(folder: string): string {
  return path.join(folder, 'hub.backup.json')
}

/** @returns undefined if none is known @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED */
export function readLastBackup(folder: string): LastBackup | undefined {
  const file = noteFile(folder)
  const text = readText(file, (found) => checkTrusted(file, found))
  if (text === undefined) return undefined
  try {
    return v.parse(LastBackup, JSON.parse(text))
  } catch {
    // Damaged, it tells nothing; the next backup writes it anew.
    return undefined
  }
}

/** @throws ConnectError WRITE_FAILED, FILE_UNTRUSTED */
export function noteLastBackup(folder: string, last: LastBackup): void {
  writeFileAtomic(noteFile(folder), `${JSON.stringify(last)}\n`)
}
