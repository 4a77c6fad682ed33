import { Args, Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { formatTakenBack } from '../cli/format/taken-back.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { unexpose } from '../tasks/exposure.ts'

export default class Unexpose extends ConnectCommand {
  static override summary = 'Take back a service that this machine exposes, and end the connections to it'
  static override enableJsonFlag = true
  static override args = { name: Args.string({ description: 'the service’s name', required: true }) }
  static override flags = {
    ...configFlag,
    drain: Flags.boolean({
      description: 'let the connections that are open finish; only new ones are refused',
    }),
  }

  async run() {
    const { args, flags } = await this.parse(Unexpose)
    const name = parseServiceName(args.name)
    const { drain } = flags
    const { removed, ended, connections } = await unexpose(instanceFor(flags.config), name, { drain })
    this.print(removed ? `[ok] ${name} is no longer exposed` : `${name} was not exposed here`)
    // An agent of an older version ends none.
    const end = ended === null ? 'daemon restart' : `unexpose ${name}`
    for (const line of formatTakenBack({ ended: ended ?? 0, open: connections ?? 0, end })) this.print(line)
    return { name, removed, ended, connections }
  }
}
