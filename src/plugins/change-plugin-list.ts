import { sweep } from './fetch-plugin.ts'
import { readPluginList, writePluginList, type ListedPlugin } from './plugin-list.ts'
import { withPluginsLock } from './plugins-lock.ts'

/**
 * Changes the list of plugins, which is written once the action is done, and not if it fails. What no plugin
 * in it is in any more is removed after that.
 *
 * @throws ConnectError PLUGINS_BUSY, PLUGINS_DAMAGED, WRITE_FAILED, and what the action throws
 */
export async function changePluginList<T>(
  dataFolder: string,
  action: (plugins: Map<string, ListedPlugin>) => Promise<T>,
): Promise<T> {
  return withPluginsLock(dataFolder, async () => {
    const before = readPluginList(dataFolder)
    // What was left by a command that was killed.
    sweep(dataFolder, before)
    const plugins = new Map(before.map((plugin) => [plugin.name, plugin]))
    const result = await action(plugins)
    writePluginList(dataFolder, [...plugins.values()])
    sweep(dataFolder, [...plugins.values()])
    return result
  })
}
