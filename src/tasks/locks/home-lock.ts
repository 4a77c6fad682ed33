import { existsSync } from 'node:fs'
import path from 'node:path'
import { dataFolder, type Instance } from '../../config/instance.ts'
import { tryLock } from '../../files/lock.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { holdLock } from './hold-lock.ts'

/**
 * Runs what concerns all instances of a user, such as folders for them all, while no other instance does.
 *
 * @param options.writes default true; an action that only removes things also works where nothing can be
 * written, and makes no folder
 * @throws ConnectError AGENT_BUSY, HUB_BUSY if another takes too long, WRITE_FAILED
 */
export async function withHomeLock<T>(
  instance: Instance,
  action: () => Promise<T>,
  { writes = true }: { writes?: boolean } = {},
): Promise<T> {
  const folder = dataFolder()
  const file = path.join(folder, 'install.lock')
  // Without it nothing was ever installed here, and what has nothing to remove leaves nothing behind.
  if (writes) ensurePrivateFolder(folder)
  else if (!existsSync(file)) return action()
  const busy = 'Another daemon or hub of yours is still being installed or removed'
  return holdLock(instance, () => tryLock(file), action, { writes, busy })
}
