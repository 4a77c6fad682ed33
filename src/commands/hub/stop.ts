import { formatStopped } from '../../cli/format/stopped.ts'
import { HubCommand } from '../../cli/kept/hub-command.ts'
import { stopKept } from '../../tasks/stop.ts'

export default class HubStop extends HubCommand {
  static override summary = 'Stop the hub: nothing is reached through it until it is started again'

  async run() {
    await this.parse(HubStop)
    this.refuseSudo()
    const { context } = this.hubContext()
    const report = await stopKept(context)
    for (const line of formatStopped(report, 'hub')) this.print(line)
    return report
  }
}
