import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { requireConfig } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { printable } from '../text/printable.ts'

export default class Whoami extends ConnectCommand {
  static override summary = 'Show this machine’s agent id, label and hub'
  static override enableJsonFlag = true
  static override flags = configFlag

  async run() {
    const { flags } = await this.parse(Whoami)
    const { agentId, label, hub } = requireConfig(instanceFor(flags.config))
    this.print(`Agent ID: ${agentId}`)
    this.print(`Label: ${printable(label)}`)
    this.print(`Hub: ${hub}`)
    return { agentId, label, hub }
  }
}
