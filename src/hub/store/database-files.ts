import {
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from 'node:fs'
import path from 'node:path'
import { closeSynced } from '../../files/durable/close-synced.ts'
import { syncFolder } from '../../files/durable/sync-folder.ts'
import { openOurs } from '../../files/open-ours.ts'
import type { DatabaseSync } from '../../files/sqlite.ts'
import type { Rest } from './rest.ts'
import { OVERWRITTEN, REPLACED, storageError } from './store-error.ts'

const FOLDER_DELETED = 'its folder was deleted'

/** In WAL mode a database has two files more. */
const JOURNALS = ['-wal', '-shm']

const CHUNK = 64 * 1024

/**
 * The files of a database that is open, or at rest. SQLite goes on in the files that it has opened, whoever
 * deletes or replaces them (https://sqlite.org/howtocorrupt.html#unlink): what it says is written, a hub that
 * starts would not find.
 */
export class DatabaseFiles {
  readonly #file: string
  #opened: readonly (string | undefined)[]
  #walSize = 0

  /** @param of the file of a database that was just opened, and read, so that SQLite has made all files */
  constructor(of: string | Rest) {
    // SQLite, too, keeps the journals beside the file that a link leads to.
    this.#file = typeof of === 'string' ? realpathSync(of) : of.file
    this.#opened = typeof of === 'string' ? this.#inodes() : [nameOf(fstatSync(of.descriptor))]
  }

  /**
   * Whether one of the files was deleted.
   *
   * @throws StoreError if another file is in its place, or the folder is gone
   * @throws the system's error if that can't be told
   */
  areMissing(): boolean {
    const now = this.#inodes()
    const changed = [...now.keys()].filter(
      (at) => this.#opened[at] !== undefined && now[at] !== this.#opened[at],
    )
    if (changed.length === 0) return false
    if (changed.some((at) => now[at] !== undefined)) throw storageError(REPLACED)
    if (inodeOf(path.dirname(this.#file)) === undefined) throw storageError(FOLDER_DELETED)
    return true
  }

  /**
   * Whether someone has cut the -wal file short: SQLite would write on behind the gap, and a hub that starts
   * would read nothing of it.
   *
   * @param needed how long it has to be, in bytes; asked if it is shorter, as a checkpoint can make it
   */
  isWalCut(needed: () => number): boolean {
    const size = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    if (size < this.#walSize && size < needed()) return true
    this.#walSize = size
    return false
  }

  /**
   * Writes the whole database anew where it was.
   *
   * @param from where it is whole
   * @throws StoreError if another database is in its place by then
   * @throws the system's error, or SQLite's; the open database is then as good as before
   */
  writeAnew(from: DatabaseSync | Rest): void {
    const copy = `${this.#file}.new`
    try {
      rmSync(copy, { force: true })
      // SQLite would make the copy 0644; it takes a file that is there and empty.
      const descriptor = openOurs(copy, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR)
      try {
        if ('descriptor' in from) copyAll(from.descriptor, descriptor)
        else from.prepare('VACUUM INTO ?').run(copy)
        fsyncSync(descriptor)
      } finally {
        closeSynced(descriptor)
      }
      // The copy can take long: a database that someone has put there meanwhile is left alone.
      this.areMissing()
      // The old journals would be taken for the new database's.
      for (const ending of JOURNALS) rmSync(this.#file + ending, { force: true })
      const isThere = inodeOf(this.#file) !== undefined
      if (isThere) renameSync(copy, this.#file)
      // Unlike a rename, a link fails if someone has begun another database meanwhile.
      else linkSync(copy, this.#file)
      // The copy is ours: should anything fail from here on, the database is written once more.
      this.#opened = this.#opened.with(0, inodeOf(copy))
    } finally {
      rmSync(copy, { force: true })
    }
    syncFolder(path.dirname(this.#file))
  }

  #inodes(): (string | undefined)[] {
    return ['', ...JOURNALS].map((ending) => inodeOf(this.#file + ending))
  }
}

/** @returns undefined if there is no such file */
function inodeOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false })
  return found && nameOf(found)
}

function nameOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`
}

function copyAll(from: number, to: number): void {
  const chunk = Buffer.alloc(CHUNK)
  for (let at = 0, length = 0; (length = readSync(from, chunk, 0, CHUNK, at)) > 0; at += length)
    writeFileSync(to, chunk.subarray(0, length))
}

/** @returns what whoever runs the hub can do about that reason */
export function adviceOn(reason: string, folder: string): string {
  if (reason === FOLDER_DELETED) return `Make ${folder} again, and it writes its database there`
  if (reason === OVERWRITTEN)
    return 'Its machines stay connected until it ends: stop it, and restore a backup with connect hub restore FILE'
  if (reason !== REPLACED) return 'It tries again'
  return `Restart the hub to go on with what is in ${folder} now; or remove hub.db there, and it writes its own again`
}
