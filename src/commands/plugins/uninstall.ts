import { Args, Flags } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { removePlugin } from '../../cli/plugins/remove-plugin.ts'
import { changePluginList } from '../../plugins/change-plugin-list.ts'
import { pluginDataFolder } from '../../plugins/data-folder.ts'

export default class PluginsUninstall extends ConnectCommand {
  static override summary = 'Remove a plugin'
  static override enableJsonFlag = true
  static override aliases = ['plugins:remove', 'plugins:unlink']
  static override args = {
    plugin: Args.string({ description: 'its name, from: connect plugins', required: true }),
  }
  static override flags = {
    force: Flags.boolean({ description: 'also while the daemon, or the hub, is installed in its platform' }),
  }

  async run() {
    const { args, flags } = await this.parse(PluginsUninstall)
    const wanted = { name: args.plugin, force: flags.force }
    const warnings = await changePluginList(pluginDataFolder(process.env), (plugins) =>
      removePlugin(this.config, plugins, wanted),
    )
    this.print(`[ok] Removed the plugin ${args.plugin}`)
    for (const warning of warnings) this.printWarning(warning)
    return { name: args.plugin }
  }
}
