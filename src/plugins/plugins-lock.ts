import path from 'node:path'
import { ConnectError } from '../errors.ts'
import { tryLock } from '../files/lock.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { installFolder } from './data-folder.ts'

/** The longest that another command may take, in ms: npm has two minutes. */
const TIMEOUT_MS = 150_000

/**
 * Changes the plugins of a user while no other command does.
 *
 * @throws ConnectError PLUGINS_BUSY, WRITE_FAILED
 */
export async function withPluginsLock<T>(dataFolder: string, action: () => Promise<T>): Promise<T> {
  const folder = installFolder(dataFolder)
  ensurePrivateFolder(folder)
  const lock = await waitFor(() => tryLock(path.join(folder, 'lock')), { timeoutMs: TIMEOUT_MS })
  if (!lock) throw new ConnectError('PLUGINS_BUSY', 'Another connect plugins command is still running')
  try {
    return await action()
  } finally {
    lock.release()
  }
}
