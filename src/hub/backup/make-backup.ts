import { statSync } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../../errors.ts'
import { writeNewFile } from '../../files/durable/new-file.ts'
import { isSameFile } from '../../files/is-same-file.ts'
import { isNoDatabase, loadSqlite } from '../../files/sqlite.ts'
import type { Mark } from '../store/schema.ts'
import { Store } from '../store/store.ts'
import { authorityToKeep } from './authority.ts'
import { noteLastBackup, type LastBackup } from './last-backup.ts'
import { addNotes, type Counts } from './notes.ts'

/** A backup that was made. */
export interface Backup extends Counts {
  readonly hubId: string
  readonly bytes: number
  /** The key of the hub's own authority is in it. */
  readonly hasKey: boolean
}

/** The same, and why it could not be noted beside the hub's data that it was made. */
export interface MadeBackup extends Backup {
  readonly unnoted?: string
}

/**
 * Writes all that a hub has saved into one file, whether the hub runs or not.
 *
 * @param folder the hub's data folder
 * @param file absolute; not there yet
 * @param saved what the hub itself says that it has saved
 * @throws ConnectError BAD_VALUE, FILE_EXISTS, WRITE_FAILED, FILE_UNTRUSTED, HUB_DATA_MISSING,
 * HUB_DATA_DAMAGED, HUB_TLS_DAMAGED
 */
export async function makeBackup(folder: string, file: string, saved?: Mark): Promise<MadeBackup> {
  if (isSameFile(path.dirname(file), folder)) {
    throw new ConnectError('BAD_VALUE', `A backup in ${folder} would be lost with the hub’s data`, {
      hints: ['Give a file in another folder, best on another disk.'],
    })
  }
  const store = await Store.open(folder, { existing: true })
  try {
    const { generation, ...backup } = await copyStore(store, file, {
      authority: authorityToKeep(folder),
      saved,
    })
    const madeAt = new Date().toISOString()
    return { ...backup, ...tryToNote(folder, { madeAt, file, id: backup.hubId, generation }) }
  } finally {
    store.close()
  }
}

/** The backup is made, whatever becomes of the note. */
function tryToNote(folder: string, last: LastBackup): Pick<MadeBackup, 'unnoted'> {
  try {
    noteLastBackup(folder, last)
    return {}
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return { unnoted: error.message }
  }
}

/**
 * Writes all that is in a hub's database into one file.
 *
 * @throws ConnectError FILE_EXISTS, WRITE_FAILED, FILE_UNTRUSTED, HUB_DATA_DAMAGED
 */
export async function copyStore(
  store: Store,
  file: string,
  { authority, saved }: { authority: string | undefined; saved?: Mark | undefined },
): Promise<Backup & Pick<Mark, 'generation'>> {
  const sqlite = await loadSqlite()
  return writeNewFile(file, (beside) => {
    copyTo(store, beside)
    const contents = addNotes(sqlite, beside, authority === undefined ? {} : { authority })
    if (contents.id !== (saved ?? store.mark).id || contents.generation < (saved?.generation ?? 0))
      throw new Error('the database is not the one that the hub has saved to')
    const { id: hubId, generation, machines, names, tokens } = contents
    return {
      hubId,
      generation,
      machines,
      names,
      tokens,
      hasKey: authority !== undefined,
      bytes: statSync(beside).size,
    }
  })
}

function copyTo(store: Store, file: string): void {
  try {
    store.copyTo(file)
  } catch (error) {
    if (!isNoDatabase(error)) throw error
    throw new ConnectError('HUB_DATA_DAMAGED', `The hub’s database is damaged: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
