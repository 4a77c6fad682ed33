import { Flags } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { removePlugin } from '../../cli/plugins/remove-plugin.ts'
import { changePluginList } from '../../plugins/change-plugin-list.ts'
import { pluginDataFolder } from '../../plugins/data-folder.ts'

export default class PluginsReset extends ConnectCommand {
  static override summary = 'Remove all plugins'
  static override enableJsonFlag = true
  static override flags = {
    force: Flags.boolean({
      description: 'also while the daemon, or the hub, is installed in one’s platform',
    }),
  }

  async run() {
    const { flags } = await this.parse(PluginsReset)
    const { names, warnings } = await changePluginList(pluginDataFolder(process.env), async (plugins) => {
      const all = [...plugins.keys()]
      const left: string[] = []
      for (const name of all) left.push(...(await removePlugin(this.config, plugins, { name, ...flags })))
      return { names: all, warnings: left }
    })
    this.print(names.length === 0 ? 'There is no plugin to remove' : `[ok] Removed: ${names.join(', ')}`)
    for (const warning of warnings) this.printWarning(warning)
    return { names }
  }
}
