import { Flags } from '@oclif/core'
import { DaemonCommand } from '../../cli/daemon-command.ts'
import { ensureLogin } from '../../cli/ensure-login.ts'
import { caFlag, replaceFlag } from '../../cli/flags.ts'
import { installLines, planLines } from '../../cli/say-installed.ts'
import { daemonOf } from '../../tasks/daemon-context.ts'
import { installDaemon, planInstall } from '../../tasks/install.ts'

export default class DaemonInstall extends DaemonCommand {
  static override summary = 'Install daemon as a system service (launchd on macOS, systemd on Linux)'
  static override flags = {
    ...caFlag,
    ...replaceFlag,
    'dry-run': Flags.boolean({ description: 'print what would be written and run, and do nothing' }),
  }

  async run() {
    const { flags } = await this.parse(DaemonInstall)
    this.refuseSudo()
    const { context, selection } = this.contextFor(flags)
    const manager = selection.description.name
    if (flags['dry-run']) {
      const planned = await planInstall(context, daemonOf(context), selection)
      // To be copied as it is: never wrapped.
      for (const line of planLines(planned)) this.log(line)
      return { ...planned, manager, warnings: [] }
    }
    if (process.env.PRIVATECONNECT_TOKEN || flags.ca !== undefined) await ensureLogin(context.instance, flags)
    const daemon = daemonOf(context)
    const report = await installDaemon(context, daemon, selection, () => {
      this.say('🔧 Installing Private Connect daemon...')
      this.say()
    })
    for (const line of installLines(report)) this.say(line)
    for (const warning of report.warnings) this.tell(`[!] ${warning}`)
    if (flags.ca !== undefined && report.change === 'unchanged')
      this.tell('[!] A daemon that ran already takes up the CA file with: connect daemon restart')
    return { installed: true, manager, ...report, plan: null }
  }
}
