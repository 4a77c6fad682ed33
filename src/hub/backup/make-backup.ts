import { statSync } from 'node:fs'
import path from 'node:path'
import { codeOf, ConnectError, messageOf } from '../../errors.ts'
import { checkNewFile, writeNewFile } from '../../files/durable/new-file.ts'
import { isSameFile } from '../../files/is-same-file.ts'
import {
  isFull,
  isNoDatabase,
  isNotOpened,
  isReadOnly,
  isUnreadable,
  loadSqlite,
} from '../../files/sqlite.ts'
import type { Mark } from '../store/schema.ts'
import { requireData, Store } from '../store/store.ts'
import { authorityToKeep } from './authority.ts'
import { canBeOpenedIn, openCopy, waitUntilQuiet } from './copy-aside.ts'
import { noteLastBackup, type LastBackup } from './last-backup.ts'
import { addNotes, type Counts } from './notes.ts'

/** A backup that was made. */
interface Backup extends Counts {
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
  requireData(folder)
  const notes = { authority: authorityToKeep(folder), saved }
  const { generation, ...backup } = await backUp(folder, file, notes)
  const madeAt = new Date().toISOString()
  return { ...backup, ...tryToNote(folder, { madeAt, file, id: backup.hubId, generation }) }
}

/** From the database as it lies, or from a copy of it where that can’t be opened. */
async function backUp(folder: string, file: string, notes: BackupNotes): Promise<NumberedBackup> {
  const store = canBeOpenedIn(folder) ? await openUnlessFull(folder) : undefined
  if (store)
    try {
      return await copyStore(store, file, notes)
    } finally {
      store.close()
    }
  const sqlite = await loadSqlite()
  checkNewFile(file)
  await waitUntilQuiet(folder)
  return writeBackup(sqlite, file, notes, (beside) => {
    const copy = openCopy(sqlite, folder, path.join(path.dirname(beside), 'source'))
    try {
      return copyTo(copy, beside)
    } finally {
      copy.close()
    }
  })
}

/** SQLite says so by many codes, according to the file that it could not make. */
function isWithoutRoom(error: unknown): boolean {
  return (
    ['ENOSPC', 'EDQUOT', 'EROFS'].includes(codeOf(error) ?? '') ||
    [isFull, isReadOnly, isUnreadable, isNotOpened].some((is) => is(error))
  )
}

/** @returns undefined if there is no room for what SQLite makes beside it, or it may not be made */
async function openUnlessFull(folder: string): Promise<Store | undefined> {
  try {
    return await Store.open(folder, { existing: true })
  } catch (error) {
    if (error instanceof ConnectError && isWithoutRoom(error.cause)) return undefined
    throw error
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

type NumberedBackup = Backup & Pick<Mark, 'generation'>

interface BackupNotes {
  /** The authority of the hub's own, as PEM, if it has one. */
  readonly authority: string | undefined
  /** What the hub itself says that it has saved. */
  readonly saved?: Mark | undefined
}

/**
 * Writes all that is in a hub's database into one file.
 *
 * @throws ConnectError FILE_EXISTS, WRITE_FAILED, FILE_UNTRUSTED, HUB_DATA_DAMAGED
 */
export async function copyStore(store: Store, file: string, notes: BackupNotes): Promise<NumberedBackup> {
  return writeBackup(await loadSqlite(), file, notes, (beside) => copyTo(store, beside))
}

/** @param copy writes the database into a file that is empty, and says which one it was */
function writeBackup(
  sqlite: Awaited<ReturnType<typeof loadSqlite>>,
  file: string,
  { authority, saved }: BackupNotes,
  copy: (beside: string) => Mark,
): NumberedBackup {
  return writeNewFile(file, (beside) => {
    const copied = copy(beside)
    const { id } = saved ?? copied
    const contents = addNotes(sqlite, beside, authority === undefined ? {} : { authority })
    if (contents.id !== id || contents.generation < (saved?.generation ?? 0))
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

function copyTo(store: Store, file: string): Mark {
  try {
    store.copyTo(file)
  } catch (error) {
    if (!isNoDatabase(error)) throw error
    throw new ConnectError('HUB_DATA_DAMAGED', `The hub’s database is damaged: ${messageOf(error)}`, {
      cause: error,
    })
  }
  return store.mark
}
