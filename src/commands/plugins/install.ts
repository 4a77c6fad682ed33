import { Args } from '@oclif/core'
import { ConnectCommand } from '../../cli/command.ts'
import { fetchProven } from '../../cli/plugins/fetch-proven.ts'
import { formatBrings } from '../../cli/plugins/prove-plugin.ts'
import { pluginDataFolder } from '../../plugins/data-folder.ts'
import { changePluginList } from '../../plugins/change-plugin-list.ts'
import { parsePluginSource } from '../../plugins/plugin-source.ts'

export default class PluginsInstall extends ConnectCommand {
  static override summary = 'Install a plugin, by npm'
  static override description =
    'It is copied into a folder of its own, with all that it depends on; scripts of packages are not run. Registry, proxy and credentials are those of npm (npmrc).'
  static override enableJsonFlag = true
  static override aliases = ['plugins:add']
  static override args = {
    plugin: Args.string({
      description: 'NAME[@VERSION], a folder or tarball (./FOLDER), or an address (https://, github:)',
      required: true,
    }),
  }
  static override examples = [
    '<%= config.bin %> plugins install private-connect-runit',
    '<%= config.bin %> plugins install ./private-connect-runit-0.1.0.tgz',
  ]

  async run() {
    const { args } = await this.parse(PluginsInstall)
    const source = parsePluginSource(args.plugin)
    const dataFolder = pluginDataFolder(process.env)
    const { listed, version, brings } = await changePluginList(dataFolder, async (plugins) => {
      if (this.isWatched) this.printError(`npm gets ${source.shown}...`)
      const proven = await fetchProven(this.config, dataFolder, source)
      plugins.set(proven.listed.name, proven.listed)
      return proven
    })
    const { name, root } = listed
    this.print(`[ok] Installed the plugin ${name} ${version}`)
    for (const line of formatBrings(brings)) this.print(line)
    const [platform] = brings.platforms
    if (platform !== undefined) this.suggestNext(`connect daemon install --platform ${platform}`)
    return { name, version, root, ...brings }
  }
}
