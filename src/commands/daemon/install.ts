import { DaemonCommand } from '../../cli/daemon-command.ts'
import { ensureLogin } from '../../cli/ensure-login.ts'
import { replaceFlag } from '../../cli/flags.ts'
import { daemonOf } from '../../tasks/daemon-context.ts'
import { installDaemon } from '../../tasks/install.ts'

export default class DaemonInstall extends DaemonCommand {
  static override summary = 'Install daemon as a system service (launchd on macOS, systemd on Linux)'
  static override flags = replaceFlag

  async run() {
    const { flags } = await this.parse(DaemonInstall)
    const { context, selection } = await this.contextFor(flags)
    if (process.env.PRIVATECONNECT_TOKEN) await ensureLogin(context.instance, flags)
    const daemon = daemonOf(context)
    this.say('🔧 Installing Private Connect daemon...')
    this.say()
    await installDaemon(context, daemon, selection)
    this.say('[ok] Daemon installed and started')
    return { installed: true, manager: selection.description.name }
  }
}
