import { existsSync } from 'node:fs'
import { ensureInstanceFolder } from '../../config/config.ts'
import type { Instance } from '../../config/instance.ts'
import { wordsOf } from '../../config/kind.ts'
import { tryLock } from '../../files/lock.ts'
import { holdLock } from './hold-lock.ts'
import { ignoreHangup } from './ignore-hangup.ts'

/**
 * Runs an action on the daemon or hub while no other command does: ten `daemon start` at once start one
 * agent.
 *
 * @param options.writes default true; an action that only ends things also works where nothing can be
 * written, and makes no folder
 * @throws ConnectError AGENT_BUSY, HUB_BUSY if another command takes too long, WRITE_FAILED
 */
export async function withCommandLock<T>(
  instance: Instance,
  action: () => Promise<T>,
  { writes = true }: { writes?: boolean } = {},
): Promise<T> {
  if (writes) ensureInstanceFolder(instance)
  // Another instance's config may lie in a folder that isn't there: then nobody runs, and nothing
  // can be locked.
  if (!existsSync(instance.folder)) return ignoreHangup(action)
  const take = async () => {
    // A lock file that root leaves in someone's home would lock them out.
    ensureInstanceFolder(instance)
    return tryLock(instance.commandLockFile)
  }
  const busy = `Another ${wordsOf(instance).command} command is still running`
  return holdLock(instance, take, () => ignoreHangup(action), { writes, busy })
}
