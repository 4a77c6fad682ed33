import type { Instance } from '../config/instance.ts'
import { tryLock, type FileLock } from '../files/lock.ts'
import { waitFor } from '../process/wait.ts'

/** How long a command may look at the lock, or edit the services under it, in ms. */
const MOMENT_MS = 500

/** Takes the lock of an agent that does not run. @returns undefined if one runs after all */
export function takeAgentLock({ lockFile }: Instance): Promise<FileLock | undefined> {
  return waitFor(() => tryLock(lockFile), { timeoutMs: MOMENT_MS, everyMs: 20 })
}
