import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { formatMachine } from '../cli/format/status/machine.ts'
import { userPlugins } from '../cli/plugins/ask-user-plugins.ts'
import { instanceFor } from '../config/instance.ts'
import { machineStatus } from '../tasks/machine/machine-status.ts'

export default class Status extends ConnectCommand {
  static override summary = 'Say where this machine stands, and what to do next; so does connect alone'
  static override description =
    'It is a report: it exits 0 whatever it finds. The hub is waited for 2 seconds at the most.'
  static override enableJsonFlag = true
  static override flags = configFlag

  async run() {
    const { flags } = await this.parse(Status)
    const status = await machineStatus(instanceFor(flags.config), userPlugins(this.config))
    for (const line of formatMachine(status)) this.print(line)
    return status
  }
}
