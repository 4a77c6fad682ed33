import path from 'node:path'
import { readText } from '../../files/read-text.ts'
import { listFile, pluginDataFolder } from '../../plugins/data-folder.ts'

/** A plugin that the user has installed or linked. */
export interface InstalledPlugin {
  readonly name: string
  readonly folder: string
  /** Names of those that it brings. */
  readonly platforms: readonly string[]
}

type Listed = string | { name: string; root?: string; platforms?: string[] }

/**
 * All of this user's, by the list that is kept of them. Not by readPluginList, which checks it as what is to
 * be run: that takes longer to load than all of a completion.
 *
 * @returns none if that is not there, or can't be read
 */
export function installedPlugins(): InstalledPlugin[] {
  const data = pluginDataFolder(process.env)
  try {
    const { oclif } = JSON.parse(readText(listFile(data)) ?? '') as { oclif: { plugins: Listed[] } }
    return oclif.plugins.map((plugin) => {
      const { name, root, platforms = [] } = typeof plugin === 'string' ? { name: plugin } : plugin
      return { name, folder: root ?? path.join(data, 'node_modules', name), platforms }
    })
  } catch {
    return []
  }
}
