import { existsSync } from 'node:fs'
import { ensureInstanceFolder } from '../config/config.ts'
import { placesOf, type Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { GRACE_PERIOD_S } from '../process/grace-period.ts'
import { isAlive } from '../process/identity.ts'
import type { Termination } from '../process/terminate.ts'
import { underInstanceLock } from './instance-lock.ts'
import {
  clearStaleRecord,
  endProcessRecord,
  endReason,
  namesAProcess,
  readProcessRecord,
  type ProcessEnd,
} from './process-record.ts'

/*
 * How an agent or a hub ended is written down here: as it says itself, as whoever watched it saw it, as
 * `stop` brought it about, or that nobody knows. Only one that hangs can't come here: its watchdog writes it
 * (see kept/watchdog-end.ts). What it has said itself is never overwritten.
 */

/** How a process was seen to end. */
export interface SeenEnd {
  readonly code: number | null
  readonly signal: string | null
  /** Default now. */
  readonly at?: Date
}

/** By the process itself, which holds the lock. @throws ConnectError WRITE_FAILED, CONFIG_UNREADABLE */
export function noteOwnEnd(instance: Instance, end: Omit<ProcessEnd, 'at'>): void {
  endProcessRecord(instance, { at: new Date().toISOString(), ...end })
}

/**
 * By whoever watched the process. What can't be written is no reason to fail: its log says the same.
 */
export async function noteSeenEnd(instance: Instance, pid: number, seen: SeenEnd): Promise<void> {
  const { code, signal, at = new Date() } = seen
  await underInstanceLock(instance, () => {
    const record = readProcessRecord(instance)
    if (record?.pid !== pid || record.end) return
    const reason = endReason({ signal })
    endProcessRecord(instance, { at: at.toISOString(), reason, code, signal, fix: null })
  }).catch(onlyUnexpected)
}

/**
 * By whoever has stopped it: afterwards no file names it as running.
 *
 * @param pid the process that was stopped; undefined if there was none
 * @returns `named by another` if another one holds the lock: the files are its own
 * @throws ConnectError WRITE_FAILED, CONFIG_UNREADABLE
 */
export async function noteStopped(
  instance: Instance,
  pid: number | undefined,
  termination: Termination | undefined,
): Promise<'noted' | 'named by another'> {
  if (!existsSync(instance.folder)) return 'noted'
  for (const place of placesOf(instance)) {
    if (!namesAProcess(place)) continue
    const isNoted = await underInstanceLock(place, () => {
      const record = readProcessRecord(place)
      if (record?.pid !== pid || record?.end || !termination) return clearStaleRecord(place)
      const reason =
        termination === 'killed' ? `killed by stop, ${GRACE_PERIOD_S} s after SIGTERM` : 'ended by stop'
      const signal = termination === 'killed' ? 'SIGKILL' : 'SIGTERM'
      endProcessRecord(place, { at: new Date().toISOString(), reason, code: null, signal, fix: null })
    })
    if (!isNoted) return 'named by another'
  }
  return 'noted'
}

/**
 * By whoever finds that it is gone. Only under the lock: one that is just starting may be writing these files
 * anew.
 *
 * @returns whether anything was cleared away; on a full or read-only disk it stays
 */
export async function clearStale(instance: Instance): Promise<boolean> {
  let isCleared = false
  try {
    ensureInstanceFolder(instance)
    for (const place of placesOf(instance)) {
      // Its folder may not be there.
      if (!namesAProcess(place)) continue
      await underInstanceLock(place, () => {
        const record = readProcessRecord(place)
        const isOurs = record && !record.end && record.configFile === place.mainFile && isAlive(record)
        if (isOurs || !namesAProcess(place)) return
        clearStaleRecord(place)
        isCleared = true
      })
    }
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== 'WRITE_FAILED') throw error
    return false
  }
  return isCleared
}

function onlyUnexpected(error: unknown): void {
  if (!(error instanceof ConnectError)) throw error
}
