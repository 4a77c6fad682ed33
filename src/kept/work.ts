import type { Instance } from '../config/instance.ts'
import { noteOwnEnd } from '../control/process-end.ts'
import type { ProcessEnd } from '../control/process-record.ts'
import { messageOf, type ConnectError } from '../errors.ts'
import { isFatal } from '../fatal-errors.ts'
import type { FileLock } from '../files/lock.ts'
import type { Log } from '../log/log.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import { recordedOther, refuseAnother } from './another.ts'
import { keptExitCode } from './exit-code.ts'
import { startHousekeeping, type HousekeepingOptions } from './housekeeping.ts'

/** What the owner of an instance does, once it has begun. */
export interface Work {
  /** Looks after what it holds, now and then. @throws ConnectError what is told, and tried again */
  hold(): Promise<void>
  /** Until the signal says stop; one that is done before goes on as another owner. */
  run(signal: AbortSignal): Promise<void>
  /** Called in any case, last. */
  close(): Promise<void>
}

/** What an owner has: nobody else writes the instance's files. */
export interface Owned extends Omit<HousekeepingOptions, 'hold'> {
  readonly lock: FileLock
}

/**
 * Does the work of an owner until the signal says stop, and writes down how that ended. One that is done
 * before takes away its record itself.
 */
export async function runWork(owned: Owned, signal: AbortSignal, begin: () => Promise<Work>): Promise<void> {
  const { instance, log } = owned
  try {
    await workOn(owned, signal, begin)
    if (!signal.aborted) return
    const name = String(signal.reason)
    noteEnd(instance, log, { reason: `stopped by ${name}`, code: null, signal: name, fix: null })
  } catch (error) {
    const fix = isFatal(error) ? ((error as ConnectError).hints[0] ?? null) : null
    noteEnd(instance, log, { reason: messageOf(error), code: keptExitCode(error), signal: null, fix })
    throw error
  }
}

async function workOn(
  { lock, ...kept }: Owned,
  signal: AbortSignal,
  begin: () => Promise<Work>,
): Promise<void> {
  const work = await begin()
  const hold = async () => {
    if (!(await lock.look())) refuseAnother(kept.instance)
    await work.hold()
  }
  const housekeeping = startHousekeeping({ ...kept, hold })
  adaptToLoad()
  try {
    await work.run(AbortSignal.any([signal, housekeeping.givenUp]))
    if (!signal.aborted) housekeeping.givenUp.throwIfAborted()
  } finally {
    housekeeping.stop()
    await work.close()
  }
}

/** For `status`. A full disk costs this note, and not the good order of the end. */
function noteEnd(instance: Instance, log: Log, end: Omit<ProcessEnd, 'at'>): void {
  try {
    if (!recordedOther(instance)) noteOwnEnd(instance, end)
  } catch (error) {
    log(`[!] ${messageOf(error)}`, 'warn')
  }
}
