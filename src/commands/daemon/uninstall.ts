import { DaemonCommand } from '../../cli/kept/daemon-command.ts'
import { checkConfig } from '../../tasks/daemon-context.ts'
import { uninstallKept } from '../../tasks/install.ts'
import { tilde } from '../../text/tilde.ts'

export default class DaemonUninstall extends DaemonCommand {
  static override summary = 'Remove daemon from system services'

  async run() {
    const { flags } = await this.parse(DaemonUninstall)
    this.refuseSudo()
    const { context, selection } = this.contextFor(flags)
    await this.warnIfCarried(context, 'for good')
    if (selection.description.name !== 'background') {
      this.print('🔧 Uninstalling Private Connect daemon...')
      this.print()
    }
    const done = await uninstallKept(context)
    if (!done) {
      checkConfig(context)
      this.print('The daemon is not installed as a service: there is nothing to remove')
      return { removed: false, files: [] }
    }
    for (const file of done.removed) this.print(`  Removed: ${tilde(file)}`)
    if (done.removed.length > 0) this.print()
    this.print('[ok] Daemon uninstalled')
    for (const warning of done.warnings) this.printWarning(warning)
    return { removed: true, files: done.removed }
  }
}
