import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  realpathSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../../errors.ts'
import { readTrustedBlocks } from '../../files/read-trusted.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import type { loadSqlite } from '../../files/sqlite.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { fileState, settledState } from '../store/rest.ts'
import { cannotOpen } from '../store/store-error.ts'
import { Store } from '../store/store.ts'

type Sqlite = Awaited<ReturnType<typeof loadSqlite>>

/** How long it is waited for that nobody writes, in ms; a change shows for 2 s, see settledState. */
const QUIET_WITHIN_MS = 5000

/** What SQLite makes beside a database to read it: an index of 32 KB, and room for its journal. */
const BESIDE_BYTES = 64 * 1024

/** A database and its journals; not its index, which SQLite makes anew. */
const ENDINGS = ['', '-wal', '-journal']

/** How many files SQLite makes. */
const FILES_BESIDE = 2

/**
 * Whether SQLite can open a database where it lies: it makes files beside that, even to read it
 * (https://sqlite.org/wal.html), unless a hub at work has made them. Where it can't, it leaves empty ones.
 */
export function canBeOpenedIn(folder: string): boolean {
  if (existsSync(`${databaseIn(folder)}-wal`)) return true
  try {
    accessSync(folder, constants.W_OK)
    const { bavail, bsize, files, ffree } = statfsSync(folder)
    // Some file systems don’t count files, and say 0 of 0.
    return bavail * bsize >= BESIDE_BYTES && (files === 0 || ffree >= FILES_BESIDE)
  } catch {
    // Whatever is wrong, to copy it meets that, too, and says so.
    return false
  }
}

/**
 * Waits until nobody has written into a hub's database for a moment, so that a change can’t be missed.
 *
 * @param withinMs default 5,000
 * @throws ConnectError WRITE_FAILED if somebody goes on
 */
export async function waitUntilQuiet(folder: string, withinMs = QUIET_WITHIN_MS): Promise<void> {
  const isQuiet = () =>
    filesOf(folder).every((file) => !existsSync(file) || settledState(file) !== undefined) || undefined
  if (!(await waitFor(isQuiet, { timeoutMs: withinMs }))) throw restless(folder)
}

/**
 * Copies the files of a hub's database as they lie there, and opens the copy: where SQLite can’t open them,
 * since their disk is full or read-only. As after a power cut, all that was saved is in it.
 *
 * @param into not there yet
 * @throws ConnectError HUB_DATA_DAMAGED, FILE_UNTRUSTED; WRITE_FAILED if somebody has written meanwhile, or
 * it can’t be read
 * @throws the system's error, or SQLite's, if there is no room for the copy
 */
export function openCopy(sqlite: Sqlite, folder: string, into: string): Store {
  const files = filesOf(folder)
  ensurePrivateFolder(into)
  const before = files.map(fileState)
  for (const [at, file] of files.entries())
    if (before[at] !== undefined) copy(file, path.join(into, `hub.db${ENDINGS[at]}`))
  if (files.some((file, at) => fileState(file) !== before[at])) throw restless(folder)
  try {
    return new Store(sqlite, into)
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    // Of the copy’s disk, which whoever wanted the backup knows by the file’s name.
    if (error.code === 'WRITE_FAILED') throw error.cause instanceof Error ? error.cause : error
    const message = error.message.replaceAll(into, folder)
    throw new ConnectError(error.code, message, { hints: error.hints, cause: error })
  }
}

/** @throws as read; the system's error if it can’t be written */
function copy(file: string, to: string): void {
  const descriptor = openSync(to, 'wx', 0o600)
  try {
    for (const block of read(file)) writeFileSync(descriptor, block)
  } finally {
    closeSync(descriptor)
  }
}

/** @throws ConnectError WRITE_FAILED, HUB_DATA_DAMAGED if it can’t be read, FILE_UNTRUSTED */
function* read(file: string): Generator<Buffer> {
  try {
    yield* readTrustedBlocks(file)
  } catch (error) {
    throw cannotOpen(file, error)
  }
}

/** SQLite, too, keeps the journal beside the file that a link leads to. */
function databaseIn(folder: string): string {
  return realpathSync(path.join(folder, 'hub.db'))
}

function filesOf(folder: string): string[] {
  return ENDINGS.map((ending) => databaseIn(folder) + ending)
}

function restless(folder: string): ConnectError {
  const message = `The hub’s data in ${folder} can’t be opened there, and changes while it is copied`
  return new ConnectError('WRITE_FAILED', message, {
    hints: [`Try again, or free some space on that disk: df -h ${shellQuote(folder)}`],
  })
}
