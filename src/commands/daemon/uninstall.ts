import { DaemonCommand } from '../../cli/daemon-command.ts'
import { checkConfig } from '../../tasks/daemon-context.ts'
import { uninstallDaemon } from '../../tasks/install.ts'

export default class DaemonUninstall extends DaemonCommand {
  static override summary = 'Remove daemon from system services'

  async run() {
    const { flags } = await this.parse(DaemonUninstall)
    const { context } = await this.contextFor(flags)
    await this.warnIfCarried(context, 'for good')
    const removed = await uninstallDaemon(context)
    if (!removed) checkConfig(context)
    this.say(
      removed
        ? '[ok] Daemon uninstalled'
        : 'The daemon is not installed as a service: there is nothing to remove',
    )
    return { removed }
  }
}
