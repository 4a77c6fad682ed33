import { ConnectError } from '../../errors.ts'
import { background } from '../background/description.ts'
import type { PlatformContext } from '../platform.ts'
import type { Brought } from './known-platforms.ts'
import { selectPlatform } from './select.ts'

/**
 * Whether an install would find what keeps the daemon or hub, or is done already. Plugins, which most who ask
 * have not loaded, are asked only where nothing built in can.
 */
export async function canInstall(
  context: PlatformContext,
  plugins: () => Promise<Brought>,
): Promise<boolean> {
  const isFound = async (from: () => Promise<Brought>) =>
    (await selectPlatform({ context, purpose: 'install', plugins: from })).description !== background
  try {
    // One that is named may be a plugin's.
    const isNamed = Boolean(context.env.CONNECT_PLATFORM)
    return (!isNamed && (await isFound(async () => NO_PLUGINS))) || (await isFound(plugins))
  } catch (error) {
    // What is in the way of every platform, the install says better than anything here.
    if (error instanceof ConnectError) return true
    throw error
  }
}

const NO_PLUGINS: Brought = { platforms: [], problems: [] }
