import { closeSync, constants, fstatSync, statSync, type BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { codeOf } from '../../errors.ts'
import { openOurs } from '../../files/open-ours.ts'
import type { Mark } from './schema.ts'
import { REPLACED, storageError } from './store-error.ts'

/** A database that nobody has open, all of it in one file, and how it was left. */
export interface Rest {
  /** Where it lies, through no link. */
  readonly file: string
  /**
   * Of that file, which stays, whoever deletes it, as long as this is open. To be closed only when the hub
   * doesn't have it open otherwise: that would end SQLite's locks (https://sqlite.org/howtocorrupt.html).
   */
  readonly descriptor: number
  /** Any change of what is in the file changes it. */
  readonly state: string
  /** What has another hub's mark, or none, was put there by someone; so was what has an older one. */
  readonly mark: Mark
}

/** No file system keeps times in coarser steps: what is younger can change, and have the same time. */
const COARSEST_TIME_MS = 2000

/** @returns the state of a database's file; undefined if it is not there */
export function fileState(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found && stateOf(found)
}

/** @returns the state of a database's file; undefined if it was changed just now, or is not there */
export function settledState(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  if (!found || Date.now() - Number(found.mtimeMs) < COARSEST_TIME_MS) return undefined
  return stateOf(found)
}

/**
 * A database that is to be closed now.
 *
 * @param state from before the last look at what is in it
 * @param held how it was left the last time
 * @throws StoreError if another file is in its place, or the system's error
 */
export function restOf(file: string, state: string, mark: Mark, held?: Rest): Rest {
  if (held && isOf(held.descriptor, state)) return { file, state, mark, descriptor: held.descriptor }
  const descriptor = openOurs(file, constants.O_RDONLY)
  if (isOf(descriptor, state)) return { file, state, mark, descriptor }
  closeSync(descriptor)
  throw storageError(REPLACED)
}

/** Whether nobody has changed a database, or has it open. A slow disk is waited for, and blocks nothing. */
export async function isAtRest({ file, state }: Rest): Promise<boolean> {
  // One after the other: each of them can hold one of few threads.
  const found = await stat(file, { bigint: true }).catch(() => undefined)
  if (!found || stateOf(found) !== state) return false
  return stat(`${file}-wal`).then(
    () => false,
    (error: unknown) => codeOf(error) === 'ENOENT',
  )
}

/** Whether all of it is in its one file as it was left; somebody may have opened it, and written nothing. */
export async function isUnchanged({ file, state }: Rest): Promise<boolean> {
  const found = await stat(file, { bigint: true }).catch(() => undefined)
  if (!found || stateOf(found) !== state) return false
  return stat(`${file}-wal`).then(
    ({ size }) => size === 0,
    (error: unknown) => codeOf(error) === 'ENOENT',
  )
}

function isOf(descriptor: number, state: string): boolean {
  const { dev, ino } = fstatSync(descriptor, { bigint: true })
  return state.startsWith(`${dev}:${ino}:`)
}

function stateOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].join(':')
}
