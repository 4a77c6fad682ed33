import { Args } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { fetchProven } from '../../cli/plugins/fetch-proven.ts'
import { ConnectError } from '../../errors.ts'
import { changePluginList } from '../../plugins/change-plugin-list.ts'
import { pluginDataFolder } from '../../plugins/data-folder.ts'
import { rootOf, type ListedPlugin } from '../../plugins/plugin-list.ts'
import { readPluginPackage } from '../../plugins/plugin-package.ts'
import { sourceOf } from '../../plugins/plugin-source.ts'

interface Updated {
  readonly name: string
  /** Null if it can't be told. */
  readonly before: string | null
  readonly version: string | null
  /** Why it is as it was, if it could not be updated. */
  readonly error: string | null
}

export default class PluginsUpdate extends ConnectCommand {
  static override summary = 'Update plugins, from where each was installed'
  static override enableJsonFlag = true
  static override args = {
    plugin: Args.string({ description: 'only this one (default: all but those that are linked)' }),
  }

  async run() {
    const { args } = await this.parse(PluginsUpdate)
    const dataFolder = pluginDataFolder(process.env)
    const updated = await changePluginList(dataFolder, async (plugins) => {
      const results: Updated[] = []
      for (const plugin of chosen(plugins, args.plugin)) {
        const before = versionOf(dataFolder, plugin)
        const result = { name: plugin.name, before }
        try {
          if (this.isWatched) this.printError(`npm gets ${plugin.name}...`)
          const source = sourceOf(plugin)
          const { listed, version } = await fetchProven(this.config, dataFolder, source, plugin.name)
          plugins.set(plugin.name, listed)
          results.push({ ...result, version, error: null })
        } catch (error) {
          if (!(error instanceof ConnectError)) throw error
          results.push({ ...result, version: before, error: error.message })
        }
      }
      return results
    })
    for (const one of updated) this.#tell(one)
    if (updated.length === 0) this.print('There is no plugin to update')
    if (updated.some(({ error }) => error !== null)) process.exitCode = 1
    return { updated }
  }

  #tell({ name, before, version, error }: Updated): void {
    if (error !== null) this.printWarning(`${name} stays as it is: ${error}`)
    else if (before === version) this.print(`[ok] ${name} ${version} is the newest`)
    else this.print(`[ok] Updated ${name} from ${before ?? 'what can’t be read'} to ${version}`)
  }
}

function chosen(plugins: ReadonlyMap<string, ListedPlugin>, name: string | undefined): ListedPlugin[] {
  const installed = [...plugins.values()].filter(({ type }) => type === 'user')
  if (name === undefined) return installed
  const one = plugins.get(name)
  if (one === undefined) throw new ConnectError('PLUGIN_UNKNOWN', `There is no plugin ${name} installed`)
  if (one.type === 'link')
    throw new ConnectError('BAD_VALUE', `${name} is linked: it is as its folder is`, { hints: [] })
  return [one]
}

/** Null if what is installed can't be used: an update may well mend that. */
function versionOf(dataFolder: string, plugin: ListedPlugin): string | null {
  try {
    return readPluginPackage(rootOf(dataFolder, plugin)).version
  } catch (error) {
    if (error instanceof ConnectError) return null
    throw error
  }
}
