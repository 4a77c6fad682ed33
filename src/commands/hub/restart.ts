import { formatHubTold, formatNews } from '../../cli/format/hub-told.ts'
import { formatStopped } from '../../cli/format/stopped.ts'
import { HubCommand } from '../../cli/kept/hub-command.ts'
import { startHubService } from '../../tasks/hub/start-hub.ts'
import { tilde } from '../../text/tilde.ts'

export default class HubRestart extends HubCommand {
  static override summary = 'Restart the hub: connections through it wait, and go on'

  async run() {
    await this.parse(HubRestart)
    this.refuseSudo()
    const { context } = this.hubContext()
    const report = await startHubService(
      context,
      { given: {} },
      {
        running: 'stop',
        onStart: ({ state }) => {
          if (state === 'stopped') this.print('No hub was running')
        },
      },
    )
    const { stopped } = report
    if (stopped) for (const line of formatStopped({ stopped, foregroundPid: null }, 'hub')) this.print(line)
    if (report.updated !== null) this.print(`  Updated: ${tilde(report.updated)}`)
    this.print('[ok] Hub started')
    this.print(`  PID: ${report.pid}`)
    for (const line of formatHubTold(report)) this.print(line)
    for (const warning of report.warnings) this.printWarning(warning)
    const joining = await this.follow(context.instance, report)
    for (const line of formatNews(joining)) this.print(line)
    if (joining?.outcome === 'moved') await this.sayNext('moved', null)
    return { ...report, joining }
  }
}
