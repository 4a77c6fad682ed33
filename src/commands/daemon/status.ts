import { DaemonCommand } from '../../cli/daemon-command.ts'
import { formatStatus } from '../../cli/format-status.ts'
import { daemonStatus } from '../../tasks/status.ts'

export default class DaemonStatus extends DaemonCommand {
  static override summary = 'Show daemon status (default action)'

  async run() {
    const { flags } = await this.parse(DaemonStatus)
    const { context } = await this.contextFor(flags)
    const status = await daemonStatus(context)
    for (const line of formatStatus(status)) this.say(line)
    return status
  }
}
