import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { tryLock, type FileLock } from '../files/lock.ts'
import { isAlive } from '../process/identity.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { readProcessRecord } from './process-record.ts'
import { identityOf } from './client.ts'

/** How long a command may look at the lock, or edit the services under it, in ms. */
const MOMENT_MS = 500

/** How long a process may take to say that it lives, in ms. */
const ANSWER_MS = 1000

/**
 * Takes the lock of an instance, if it is free and no process of it lives: the file of a lock can be deleted,
 * and then a new one is free, though an agent or a hub holds the old one.
 *
 * @returns undefined if another process holds it, or lives
 * @throws ConnectError WRITE_FAILED if the lock can't be used, CONFIG_UNREADABLE
 */
export async function tryInstanceLock(instance: Instance): Promise<FileLock | undefined> {
  const lock = await tryLock(instance.lockFile)
  try {
    if (lock && !(await anotherLives(instance))) return lock
  } catch (error) {
    lock?.release()
    throw error
  }
  lock?.release()
  return undefined
}

/** Takes the lock of an instance that does not run. @returns undefined if it runs after all */
export function takeInstanceLock(instance: Instance): Promise<FileLock | undefined> {
  return waitFor(() => tryInstanceLock(instance), { timeoutMs: MOMENT_MS, everyMs: 20 })
}

/**
 * Changes an instance's files while no process of it lives.
 *
 * @returns false if one runs after all: nothing was changed
 * @throws ConnectError as tryInstanceLock, and what the change throws
 */
export async function underInstanceLock(instance: Instance, change: () => void): Promise<boolean> {
  const lock = await takeInstanceLock(instance)
  try {
    if (lock) change()
    return lock !== undefined
  } finally {
    lock?.release()
  }
}

/** Whether another process lives, by its record or by its own word. */
async function anotherLives(instance: Instance): Promise<boolean> {
  const record = readProcessRecord(instance)
  // The record of a copied folder names the process of the folder that it was copied from.
  if (record && !record.end && record.configFile === instance.mainFile && isAlive(record))
    return record.pid !== process.pid
  try {
    const other = await identityOf(instance, ANSWER_MS)
    return other !== undefined && other.pid !== process.pid
  } catch (error) {
    // An answer that can’t be read is an answer: someone lives.
    if (error instanceof ConnectError) return true
    throw error
  }
}
