import type { Interfaces } from '@oclif/core'
import { ConnectError } from '../../errors.ts'
import type { ListedPlugin } from '../../plugins/plugin-list.ts'
import { uninstallCommand } from '../../plugins/plugin-problem.ts'
import { keptByPlugin } from './plugins-in-use.ts'

/**
 * Takes a plugin off the list, unless a daemon or the hub is installed in a platform of it. One that can't be
 * loaded can't tell, and is removed.
 *
 * @param plugins the list, by name
 * @param options.force removes it in any case
 * @returns what is left without it, a sentence each
 * @throws ConnectError PLUGIN_UNKNOWN, PLUGIN_IN_USE
 */
export async function removePlugin(
  config: Interfaces.Config,
  plugins: Map<string, ListedPlugin>,
  { name, force }: { name: string; force: boolean },
): Promise<string[]> {
  if (!plugins.has(name)) {
    const names = [...plugins.keys()]
    const hints = [names.length === 0 ? 'There are none.' : `There are: ${names.join(', ')}`]
    throw new ConnectError('PLUGIN_UNKNOWN', `There is no plugin ${name} installed`, { hints })
  }
  const loaded = config.plugins.get(name)
  const kept = loaded && (await keptByPlugin(config, loaded))
  if (kept === undefined) {
    plugins.delete(name)
    return [`It can’t be loaded, so it can’t say whether the daemon or the hub is installed in its platform`]
  }
  const [first] = kept
  if (first && !force) {
    const what = `The ${first.kept} is installed in ${first.platform}, which the plugin ${name} brings`
    const commands = kept.map(({ command }) => `Remove it from there first: ${command}`)
    const hints = [
      ...commands,
      `Or leave it there, for ${first.platform} to run: ${uninstallCommand(name)} --force`,
    ]
    throw new ConnectError('PLUGIN_IN_USE', what, { hints })
  }
  plugins.delete(name)
  return kept.map(
    ({ kept: what, platform }) =>
      `The ${what} stays installed in ${platform}, and nothing here can stop or remove it any more`,
  )
}
