import { formatHubTold, formatNews } from '../../cli/format/hub-told.ts'
import { HubCommand } from '../../cli/kept/hub-command.ts'
import { replaceHubFlag, resetFlag } from '../../cli/hub/service-flags.ts'
import { givenSettings, serveFlags } from '../../cli/hub/serve-flags.ts'
import { firstMembers } from '../../config/first-steps.ts'
import { settingsWith } from '../../tasks/hub/hub-context.ts'
import { leftAddress, lostMembers } from '../../tasks/hub/lost-members.ts'
import { startHubService } from '../../tasks/hub/start-hub.ts'
import { tilde } from '../../text/tilde.ts'

export default class HubStart extends HubCommand {
  static override summary = 'Start the hub in the background'
  static override description =
    'It speaks HTTPS: with a certificate that you give, or one that it makes for itself. Flags that are given are kept for the next start. A hub that runs with others is started anew.'
  static override examples = [
    '<%= config.bin %> hub start',
    '<%= config.bin %> hub start --listen 0.0.0.0:7700',
  ]
  static override flags = { ...serveFlags, ...replaceHubFlag, ...resetFlag }

  async run() {
    const { flags } = await this.parse(HubStart)
    this.refuseSudo()
    const settings = { given: givenSettings(flags), reset: flags.reset }
    const wanted = settingsWith(settings)
    const { context } = this.hubContext(wanted)
    const address = await leftAddress(wanted)
    const told = [this.leftBehind(context.instance), this.behindProxy(wanted)]
    const report = await startHubService(context, settings, {
      running: flags.replace ? 'stop' : 'keep',
      onStart: ({ installed }) => {
        this.print(
          `🚀 Starting hub ${installed ? `through ${context.description.name}` : 'in background'}...`,
        )
        this.print()
      },
    })
    const begun = report.outcome === 'started' ? 'Hub started' : 'Hub already running'
    if (report.updated !== null) this.print(`  Updated: ${tilde(report.updated)}`)
    this.print(`[ok] ${begun} (PID: ${report.pid})`)
    this.print(`  Logs: ${tilde(context.instance.logFile)}`)
    for (const line of formatHubTold(report)) this.print(line)
    if (report.version !== null && report.version !== context.version)
      this.print(
        `  It runs version ${report.version}, installed is ${context.version}. Run: connect hub restart`,
      )
    for (const warning of [...report.warnings, ...told]) if (warning !== undefined) this.printWarning(warning)
    const joining = await this.follow(context.instance, report)
    const lost = lostMembers(address, joining)
    if (lost !== undefined) this.printWarning(lost)
    for (const line of formatNews(joining)) this.print(line)
    if (joining === null && report.url !== null) this.suggestChoice(firstMembers(report.url))
    else await this.sayNext(joining?.outcome === 'moved' ? 'moved' : undefined, report.url)
    return { ...report, joining }
  }
}
