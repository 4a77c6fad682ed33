import { existsSync } from 'node:fs'
import type { Interfaces } from '@oclif/core'
import type { Brought } from '../../platforms/selection/known-platforms.ts'
import { listFile, pluginDataFolder } from '../../plugins/data-folder.ts'

/** In ms, half of what canInstall waits: time is left for the platforms of those that answer. */
const PATIENCE_MS = 1000

/**
 * Asks the plugins that the user has installed, in a command for which start.ts has not loaded them, and only
 * once somebody wants to know.
 */
export function userPlugins(config: Interfaces.Config): () => Promise<Brought> {
  let asking: Promise<Brought> | undefined
  return () => (asking ??= askUserPlugins(config))
}

async function askUserPlugins(config: Interfaces.Config): Promise<Brought> {
  const folder = pluginDataFolder(process.env)
  if (!existsSync(listFile(folder))) return { platforms: [], problems: [] }
  const [{ loadUserPlugins }, { askOnly }] = await Promise.all([
    import('./load-plugins.ts'),
    import('./ask-plugins.ts'),
  ])
  const { loaded, problems } = await loadUserPlugins(folder, config.version)
  const brought = await askOnly(config, loaded, PATIENCE_MS)
  return { ...brought, problems: [...problems, ...brought.problems] }
}
