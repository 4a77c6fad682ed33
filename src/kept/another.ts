import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { readProcessRecord, type ProcessRecord } from '../control/process-record.ts'
import { ConnectError } from '../errors.ts'
import { isAlive } from '../process/identity.ts'

/** AGENT_RUNNING or HUB_RUNNING. @param message default: that another one runs */
export function anotherRuns(instance: Instance, message?: string): ConnectError {
  const { errors, isTaken } = wordsOf(instance)
  return new ConnectError(errors.running, message ?? isTaken(instance.mainFile))
}

export function isAnotherRunning(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === 'AGENT_RUNNING' || error.code === 'HUB_RUNNING')
}

/** Another process that lives, and whose the record is. */
export function recordedOther(instance: Instance): ProcessRecord | undefined {
  const record = readProcessRecord(instance)
  const isOther = record && !record.end && record.pid !== process.pid && isAlive(record)
  return isOther ? record : undefined
}

/**
 * Someone deleted the lock's file, and another process has locked the new one: a command, for a moment,
 * or another owner.
 *
 * @throws ConnectError AGENT_RUNNING, HUB_RUNNING
 */
export function refuseAnother(instance: Instance): void {
  const other = recordedOther(instance)
  if (!other) return
  const { kind, lockFile } = instance
  throw anotherRuns(instance, `${lockFile} was deleted, and another ${kind} has begun (PID: ${other.pid})`)
}
