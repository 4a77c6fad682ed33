import { Flags } from '@oclif/core'
import { DaemonCommand } from '../../cli/kept/daemon-command.ts'
import { caFlag, platformFlag, replaceFlag } from '../../cli/flags.ts'
import { formatInstalled, formatPlan } from '../../cli/format/installed.ts'
import { ensureLogin } from '../../cli/login/ensure-login.ts'
import { daemonOf } from '../../tasks/daemon-context.ts'
import { installDaemon, planInstall } from '../../tasks/install.ts'
import { knownOf } from '../../tasks/start.ts'

export default class DaemonInstall extends DaemonCommand {
  static override summary = 'Install daemon as a system service (launchd on macOS, systemd on Linux)'
  static override flags = {
    ...caFlag,
    ...platformFlag,
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
      const { plan, ...known } = planned
      const { hub } = planned.pid === null ? { hub: null } : await knownOf(context, undefined)
      // To be copied as it is: never wrapped.
      for (const line of formatPlan(planned, 'agent')) this.log(line)
      for (const warning of planned.warnings) this.printWarning(warning)
      return { ...known, hub, plan, manager }
    }
    if (process.env.PRIVATECONNECT_TOKEN || flags.ca !== undefined) await ensureLogin(context.instance, flags)
    const daemon = daemonOf(context)
    const report = await installDaemon(context, daemon, selection, () => {
      this.print('🔧 Installing Private Connect daemon...')
      this.print()
    })
    for (const line of formatInstalled(report)) this.print(line)
    for (const warning of report.warnings) this.printWarning(warning)
    if (flags.ca !== undefined && report.change === 'unchanged')
      this.tellNext('connect daemon restart', 'takes up the CA file')
    else this.suggestUse(context)
    return { installed: true, manager, ...report, plan: null }
  }
}
