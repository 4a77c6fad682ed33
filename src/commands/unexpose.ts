import { Args, Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
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
    const { removed, ended, streams } = await unexpose(instanceFor(flags.config), name, { drain })
    this.print(removed ? `[ok] ${name} is no longer exposed` : `${name} was not exposed here`)
    if (ended)
      this.print(`  ${ended === 1 ? '1 connection to it was' : `${ended} connections to it were`} ended`)
    if (streams) {
      const [stay, end] =
        streams === 1
          ? ['1 connection to it stays open until it ends by itself', 'it']
          : [`${streams} connections to it stay open until they end by themselves`, 'them']
      // An agent of an older version can't.
      const how = ended === null ? 'daemon restart' : `unexpose ${name}`
      this.print(`  ${stay}. To end ${end} now: connect ${how}`)
    }
    return { name, removed, ended, streams }
  }
}
