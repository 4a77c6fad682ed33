import { HubCommand } from '../../cli/kept/hub-command.ts'
import { logFlags, showLogs } from '../../cli/kept/show-logs.ts'

export default class HubLogs extends HubCommand {
  static override summary = 'Display the logs of the hub that is kept running'
  static override examples = [
    '<%= config.bin %> hub logs --follow',
    '<%= config.bin %> hub logs --since 2h --level warn',
  ]
  static override flags = logFlags

  async run() {
    const { flags } = await this.parse(HubLogs)
    return showLogs(this.hubContext().context.instance.logFile, flags, {
      subject: 'Hub',
      asJson: this.jsonEnabled(),
      print: (line) => this.print(line),
    })
  }
}
