import { Args, Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { unreach } from '../tasks/reaches/unreach.ts'

export default class Unreach extends ConnectCommand {
  static override summary = 'Take back a reach that was kept, and end its connections'
  static override enableJsonFlag = true
  static override args = { name: Args.string({ description: 'the service’s name', required: true }) }
  static override flags = {
    ...configFlag,
    drain: Flags.boolean({
      description: 'free the port at once, but let its connections come to their end',
      default: false,
    }),
  }

  async run() {
    const { args, flags } = await this.parse(Unreach)
    const { drain } = flags
    const name = parseServiceName(args.name)
    const { removed, connections } = await unreach(instanceFor(flags.config), name, { drain })
    this.print(removed ? `[ok] ${name} is no longer kept` : `${name} was not kept here`)
    if (connections > 0) {
      const [ended, going] =
        connections === 1
          ? ['1 connection was ended', '1 connection goes on until it ends by itself']
          : [
              `${connections} connections were ended`,
              `${connections} connections go on until they end by themselves`,
            ]
      this.print(`  ${drain ? going : ended}`)
    }
    return { name, removed, connections, drained: drain }
  }
}
