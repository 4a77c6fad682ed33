import { DaemonCommand } from '../../cli/kept/daemon-command.ts'
import { logFlags, showLogs } from '../../cli/kept/show-logs.ts'
import { checkConfig } from '../../tasks/daemon-context.ts'

export default class DaemonLogs extends DaemonCommand {
  static override summary = 'Display daemon logs'
  static override examples = [
    '<%= config.bin %> daemon logs --follow',
    '<%= config.bin %> daemon logs --since 2h --level warn',
  ]
  static override flags = logFlags

  async run() {
    const { flags } = await this.parse(DaemonLogs)
    const { context } = this.contextFor(flags)
    return showLogs(context.instance.logFile, flags, {
      subject: 'Daemon',
      asJson: this.jsonEnabled(),
      print: (line) => this.print(line),
      onEmpty: () => checkConfig(context),
    })
  }
}
