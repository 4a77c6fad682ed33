import { Args } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { unexpose } from '../tasks/exposure.ts'

export default class Unexpose extends ConnectCommand {
  static override summary = 'Take back a service that this machine exposes'
  static override enableJsonFlag = true
  static override args = { name: Args.string({ description: 'the service’s name', required: true }) }
  static override flags = configFlag

  async run() {
    const { args, flags } = await this.parse(Unexpose)
    const name = parseServiceName(args.name)
    const { removed, streams } = await unexpose(instanceFor(flags.config), name)
    this.print(removed ? `[ok] ${name} is no longer exposed` : `${name} was not exposed here`)
    if (streams) {
      const open = streams === 1 ? '1 connection to it stays' : `${streams} connections to it stay`
      this.print(`  ${open} open until it ends by itself. To end it now: connect daemon restart`)
    }
    return { name, removed, streams }
  }
}
