import { Flags } from '@oclif/core'
import { formatHubTold } from '../../cli/format/hub-told.ts'
import { formatPlan, installedLines } from '../../cli/format/installed.ts'
import { HubCommand } from '../../cli/kept/hub-command.ts'
import { resetFlag } from '../../cli/hub/service-flags.ts'
import { givenSettings, serveFlags } from '../../cli/hub/serve-flags.ts'
import { settingsWith } from '../../tasks/hub/hub-context.ts'
import { installHubService, planHubInstall } from '../../tasks/hub/start-hub.ts'

export default class HubInstall extends HubCommand {
  static override summary = 'Install the hub as a system service (launchd on macOS, systemd on Linux)'
  static override description =
    'Flags that are given are kept for the next start. A hub that runs with others is started anew.'
  static override examples = [
    '<%= config.bin %> hub install',
    '<%= config.bin %> hub install --listen 0.0.0.0:7700',
    '<%= config.bin %> hub install --url https://hub.example.com',
  ]
  static override flags = {
    ...serveFlags,
    ...resetFlag,
    'dry-run': Flags.boolean({ description: 'print what would be written and run, and do nothing' }),
  }

  async run() {
    const { flags } = await this.parse(HubInstall)
    this.refuseSudo()
    const settings = { given: givenSettings(flags), reset: flags.reset }
    const { context, selection } = this.hubContext(settingsWith(settings))
    const manager = selection.description.name
    if (flags['dry-run']) {
      const planned = await planHubInstall(context, settings, selection)
      // To be copied as it is: never wrapped.
      for (const line of formatPlan(planned, 'hub')) this.log(line)
      return { ...planned, manager, warnings: [] }
    }
    const report = await installHubService(context, settings, {
      selection,
      onStart: () => {
        this.print('🔧 Installing Private Connect hub...')
        this.print()
      },
    })
    for (const line of installedLines(report, 'hub', formatHubTold(report))) this.print(line)
    for (const warning of report.warnings) this.printError(`[!] ${warning}`)
    this.suggestNext('connect hub token create --invite', 'lets a machine join')
    return { installed: true, manager, ...report, plan: null }
  }
}
