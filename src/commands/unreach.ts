import { Args, Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { formatTakenBack } from '../cli/format/taken-back.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { unreach } from '../tasks/reaches/unreach.ts'

export default class Unreach extends ConnectCommand {
  static override summary = 'Take back a reach that was kept, and end the connections through it'
  static override enableJsonFlag = true
  static override args = { name: Args.string({ description: 'the service’s name', required: true }) }
  static override flags = {
    ...configFlag,
    drain: Flags.boolean({
      description: 'let the connections that are open finish; the port is free at once',
    }),
  }

  async run() {
    const { args, flags } = await this.parse(Unreach)
    const { drain } = flags
    const name = parseServiceName(args.name)
    const { removed, ended, connections } = await unreach(instanceFor(flags.config), name, { drain })
    this.print(removed ? `[ok] ${name} is no longer kept` : `${name} was not kept here`)
    for (const line of formatTakenBack({ ended, open: connections, end: `unreach ${name}` })) this.print(line)
    return { name, removed, ended, connections }
  }
}
