import { DaemonCommand } from '../../cli/daemon-command.ts'
import { tilde } from '../../config/tilde.ts'
import { checkConfig } from '../../tasks/daemon-context.ts'
import { uninstallDaemon } from '../../tasks/install.ts'

export default class DaemonUninstall extends DaemonCommand {
  static override summary = 'Remove daemon from system services'

  async run() {
    const { flags } = await this.parse(DaemonUninstall)
    this.refuseSudo()
    const { context, selection } = this.contextFor(flags)
    await this.warnIfCarried(context, 'for good')
    if (selection.description.name !== 'background') {
      this.say('🔧 Uninstalling Private Connect daemon...')
      this.say()
    }
    const done = await uninstallDaemon(context)
    if (!done) {
      checkConfig(context)
      this.say('The daemon is not installed as a service: there is nothing to remove')
      return { removed: false, files: [], warnings: [] }
    }
    for (const file of done.removed) this.say(`  Removed: ${tilde(file)}`)
    if (done.removed.length > 0) this.say()
    this.say('[ok] Daemon uninstalled')
    for (const warning of done.warnings) this.tell(`[!] ${warning}`)
    return { removed: true, files: done.removed, warnings: done.warnings }
  }
}
