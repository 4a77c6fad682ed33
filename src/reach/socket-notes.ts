import { rmSync, writeFileSync, type Stats } from 'node:fs'
import path from 'node:path'
import { shortHash } from '../config/instance-name.ts'
import { userFolder } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { tryLock } from '../files/lock.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { readText } from '../files/read-text.ts'
import { waitFor } from '../runtime/wait-for.ts'

/** Which sockets were made by a `reach` of this user, for as long as the notes are held. */
export interface SocketNotes {
  /** Whether a `reach` has made the very file that is there now. */
  has(file: string, found: Stats): boolean
  add(file: string, made: Stats): void
  /** May be called at any time. */
  forget(file: string): void
  release(): void
}

/** How long others may look at the notes, in ms. */
const TIMEOUT_MS = 5000

/**
 * Takes the notes for one process alone: two that find the same dead socket must not both replace it.
 *
 * @throws ConnectError WRITE_FAILED, CANNOT_LISTEN
 */
export async function holdSocketNotes(): Promise<SocketNotes> {
  const folder = path.join(userFolder(), 'sockets')
  ensurePrivateFolder(path.dirname(folder), { inSharedFolder: true })
  ensurePrivateFolder(folder)
  const lock = await waitFor(() => tryLock(path.join(folder, 'lock')), { timeoutMs: TIMEOUT_MS })
  if (!lock)
    throw new ConnectError('CANNOT_LISTEN', 'Another connect reach takes very long to open its socket')
  const noteOf = (file: string) => path.join(folder, shortHash(file))
  return {
    has: (file, found) => readNote(noteOf(file)) === describe(found),
    add: (file, made) => writeFileSync(noteOf(file), describe(made), { mode: 0o600 }),
    forget: (file) => rmSync(noteOf(file), { force: true }),
    release: () => lock.release(),
  }
}

/** The number of a file is used again, its time is not. */
function describe({ dev, ino, mtimeMs }: Stats): string {
  return `${dev} ${ino} ${mtimeMs}`
}

function readNote(note: string): string | undefined {
  return readText(note)
}
