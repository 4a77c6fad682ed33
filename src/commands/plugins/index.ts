import { ConnectCommand } from '../../cli/command.ts'
import { askPlugins } from '../../cli/plugins/ask-plugins.ts'
import { knownPlatforms } from '../../platforms/selection/known-platforms.ts'
import { BUILT_IN } from '../../platforms/selection/select.ts'
import { pluginDataFolder } from '../../plugins/data-folder.ts'
import { readPluginList, rootOf } from '../../plugins/plugin-list.ts'
import { problemLine } from '../../plugins/plugin-problem.ts'
import { tilde } from '../../text/tilde.ts'

export default class Plugins extends ConnectCommand {
  static override summary = 'List the plugins that are installed; others install, update and remove them'
  static override enableJsonFlag = true

  async run() {
    await this.parse(Plugins)
    const dataFolder = pluginDataFolder(process.env)
    const listed = readPluginList(dataFolder)
    const { known, problems } = knownPlatforms(BUILT_IN, await askPlugins(this.config))
    const plugins = listed.map((plugin) => {
      const { name, type, tag = null, url = null } = plugin
      const loaded = this.config.plugins.get(name)
      const platforms = known
        .filter((one) => [one.plugin, ...one.rivals.map((rival) => rival.plugin)].includes(name))
        .map(({ description }) => description.name)
      const problem = problems.find((one) => one.plugin === name)?.what ?? null
      const commands = (loaded?.commands ?? []).map(({ id }) => id.replaceAll(':', ' '))
      const version = loaded?.version ?? null
      return { name, version, type, tag, url, root: rootOf(dataFolder, plugin), platforms, commands, problem }
    })
    if (plugins.length === 0) {
      this.print('No plugins are installed')
      this.suggestNext('connect plugins install NAME')
    }
    for (const { name, version, type, root, platforms } of plugins) {
      const what = [name, version, type === 'link' && `(link) ${tilde(root)}`].filter(Boolean).join(' ')
      const brings = platforms.length > 0 ? `: platform ${platforms.join(', ')}` : ''
      this.print(`${what}${brings}`)
    }
    for (const problem of problems) this.printWarning(problemLine(problem))
    return { plugins }
  }
}
