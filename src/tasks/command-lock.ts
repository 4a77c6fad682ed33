import { existsSync } from 'node:fs'
import { ensureInstanceFolder } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { tryLock } from '../files/lock.ts'
import { waitFor } from '../process/wait.ts'
import { finish } from './finish.ts'

/** The longest that another command may take, in ms. */
const TIMEOUT_MS = 60_000

/**
 * Runs an action on the daemon while no other command does: ten `daemon start` at once start one agent.
 *
 * @throws ConnectError AGENT_BUSY if another command takes too long
 */
export async function withCommandLock<T>(instance: Instance, action: () => Promise<T>): Promise<T> {
  ensureInstanceFolder(instance)
  // Another instance's config may lie in a folder that isn't there: then nobody runs, and nothing can be locked.
  if (!existsSync(instance.folder)) return finish(action)
  const lock = await waitFor(() => tryLock(instance.commandLockFile), { timeoutMs: TIMEOUT_MS })
  if (!lock) {
    throw new ConnectError('AGENT_BUSY', 'Another connect daemon command is still running', {
      hints: ['Wait for it, or end it, then try again.'],
    })
  }
  try {
    return await finish(action)
  } finally {
    lock.release()
  }
}
