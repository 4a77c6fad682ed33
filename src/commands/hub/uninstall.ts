import { existsSync } from 'node:fs'
import { HubCommand } from '../../cli/kept/hub-command.ts'
import { uninstallKept } from '../../tasks/install.ts'
import { tilde } from '../../text/tilde.ts'

export default class HubUninstall extends HubCommand {
  static override summary = 'Remove the hub from system services; its data and settings stay'

  async run() {
    await this.parse(HubUninstall)
    this.refuseSudo()
    const { context, selection } = this.hubContext()
    if (selection.description.name !== 'background') {
      this.print('🔧 Uninstalling Private Connect hub...')
      this.print()
    }
    const done = await uninstallKept(context)
    if (!done) {
      this.print('The hub is not installed as a service: there is nothing to remove')
      return { removed: false, files: [] }
    }
    for (const file of done.removed) this.print(`  Removed: ${tilde(file)}`)
    if (done.removed.length > 0) this.print()
    this.print('[ok] Hub uninstalled')
    const { dataFolder, mainFile } = context.instance
    if (existsSync(mainFile))
      this.print(`  What it knows stays in ${tilde(dataFolder)}, for the next install`)
    for (const warning of done.warnings) this.printWarning(warning)
    return { removed: true, files: done.removed }
  }
}
