import type { Instance } from '../../config/instance.ts'
import { withCommandLock } from './command-lock.ts'
import { withHomeLock } from './home-lock.ts'

/**
 * Keeps out other commands, also those on other instances, for what belongs in part to all instances of a
 * user: what an install makes and an uninstall removes, and the settings of the hub.
 *
 * @param options see withCommandLock
 * @throws ConnectError AGENT_BUSY, HUB_BUSY if another command takes too long, WRITE_FAILED
 */
export function withAllLocks<T>(
  instance: Instance,
  action: () => Promise<T>,
  options: { writes?: boolean } = {},
): Promise<T> {
  return withCommandLock(instance, () => withHomeLock(instance, action, options), options)
}
