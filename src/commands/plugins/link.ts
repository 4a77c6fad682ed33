import { Args } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { formatBrings, provePlugin } from '../../cli/plugins/prove-plugin.ts'
import { givenPath } from '../../files/given-path.ts'
import { changePluginList } from '../../plugins/change-plugin-list.ts'
import { pluginDataFolder } from '../../plugins/data-folder.ts'
import { readPluginPackage } from '../../plugins/plugin-package.ts'
import { tilde } from '../../text/tilde.ts'

export default class PluginsLink extends ConnectCommand {
  static override summary = 'Use a plugin from the folder that you work on it in'
  static override enableJsonFlag = true
  static override args = {
    folder: Args.string({ description: 'the plugin’s folder (default: this one)', default: '.' }),
  }

  async run() {
    const { args } = await this.parse(PluginsLink)
    const root = givenPath(args.folder)
    const { name, version } = readPluginPackage(root, tilde(root))
    const dataFolder = pluginDataFolder(process.env)
    const brings = await changePluginList(dataFolder, async (plugins) => {
      const listed = { name, type: 'link', root } as const
      const proven = await provePlugin(this.config, dataFolder, listed)
      plugins.set(name, { ...listed, platforms: proven.platforms })
      return proven
    })
    this.print(`[ok] Linked the plugin ${name} ${version}, as it is in ${tilde(root)}`)
    for (const line of formatBrings(brings)) this.print(line)
    return { name, version, root, ...brings }
  }
}
