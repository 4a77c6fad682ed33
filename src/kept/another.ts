import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { ConnectError } from '../errors.ts'

/** AGENT_RUNNING or HUB_RUNNING. @param message default: that another one runs */
export function anotherRuns(instance: Instance, message?: string): ConnectError {
  const { errors, isTaken } = wordsOf(instance)
  return new ConnectError(errors.running, message ?? isTaken(instance.folder))
}

export function isAnotherRunning(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === 'AGENT_RUNNING' || error.code === 'HUB_RUNNING')
}
