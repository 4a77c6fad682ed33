import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { writeNewFile } from '../../files/durable/new-file.ts'
import { syncFolder } from '../../files/durable/sync-folder.ts'

/** No database: a hub that is started does not take it for one, nor begin another in its place. */
const UNFINISHED = 'A restore was interrupted here. Run it again: connect hub restore FILE\n'

/** Copies a database that can't be opened, with its journal. @throws ConnectError WRITE_FAILED */
export function keepDamaged(place: string, kept: string): void {
  for (const ending of ['', '-wal'])
    if (existsSync(place + ending))
      writeNewFile(kept + ending, (beside) => copyFileSync(place + ending, beside))
}

/**
 * Puts a sound database in the place of one that can't be opened. With the old journal beside it, it would
 * be a mixture of both, so that one goes first; and without it the old one may seem to be sound, and be one
 * of long ago.
 *
 * @param copy in the same folder, or one below; nobody has it open
 * @throws ConnectError WRITE_FAILED; the system's error
 */
export function replaceDamaged(place: string, copy: string): void {
  writeFileAtomic(place, UNFINISHED)
  for (const ending of ['-wal', '-shm']) rmSync(place + ending, { force: true })
  syncFolder(path.dirname(place))
  renameSync(copy, place)
  syncFolder(path.dirname(place))
}
