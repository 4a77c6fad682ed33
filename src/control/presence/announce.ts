import { rmSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../errors.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { identify, isAlive } from '../../process/identity.ts'
import { network, presenceFolder, readNotes, type Note, type Presence } from './presence.ts'

export interface Announcement {
  /** @throws ConnectError WRITE_FAILED */
  change(presence: Presence): void
  withdraw(): void
}

/** How often a note is looked after, in ms: what lies in /tmp untouched for some days is cleared away. */
const KEEP_EVERY_MS = 60_000

/**
 * Leaves a note for the others, until it is withdrawn or this process ends, however it ends.
 *
 * @param failed told when the note that got lost can’t be written again
 * @param folderNow where it belongs, which may change
 * @throws ConnectError WRITE_FAILED
 */
export function announce(
  presence: Presence,
  failed: (error: unknown) => void,
  folderNow = presenceFolder,
): Announcement {
  const self = identify(process.pid)
  if (!self) throw new Error(`process ${process.pid} cannot find itself`)
  const name = `${process.pid}-${crypto.randomUUID().slice(0, 8)}.json`
  const fileNow = () => path.join(folderNow(), name)
  let current = presence
  let file = fileNow()
  const write = () => {
    file = fileNow()
    const folder = path.dirname(file)
    if (process.platform !== 'win32') ensurePrivateFolder(path.dirname(folder), { inSharedFolder: true })
    ensurePrivateFolder(folder)
    const note: Note = { ...self, network: network(), presence: current }
    writeFileAtomic(file, `${JSON.stringify(note)}\n`)
  }
  write()
  removeDead(path.dirname(file))
  const timer = setInterval(() => {
    try {
      if (file !== fileNow() || !touch(file)) write()
    } catch (error) {
      failed(error)
    }
  }, KEEP_EVERY_MS)
  timer.unref()
  return {
    change(changed) {
      current = changed
      write()
    },
    withdraw() {
      clearInterval(timer)
      rmSync(file, { force: true })
    },
  }
}

/** @returns false if it is not there any more */
function touch(file: string): boolean {
  const now = new Date()
  try {
    utimesSync(file, now, now)
    return true
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return false
  }
}

function removeDead(folder: string): void {
  for (const { file, note } of readNotes(folder)) {
    // Whether a process of another container lives, nobody knows here.
    if (note.bootAndNamespace === identify(process.pid)?.bootAndNamespace && !isAlive(note))
      rmSync(file, { force: true })
  }
}
