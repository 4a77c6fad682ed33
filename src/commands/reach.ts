import { Args, Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag, parsePort } from '../cli/flags.ts'
import { hubOf, requireConfig } from '../config/config.ts'
import { instanceFor } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { formatTarget } from '../config/target.ts'
import { terminalLog } from '../log/log.ts'
import { reach } from '../reach/reach.ts'
import { printable } from '../text/printable.ts'

export default class Reach extends ConnectCommand {
  static override summary = 'Open a local port that leads to a service of the workspace, until Ctrl-C'
  static override examples = [
    '<%= config.bin %> reach postgres',
    '<%= config.bin %> reach postgres --port 15432',
  ]
  static override enableJsonFlag = true
  static override args = { name: Args.string({ description: 'the service’s name', required: true }) }
  static override flags = {
    ...configFlag,
    port: Flags.string({
      description: 'local port; 0 for a free one (default: the service’s own, or the next free one)',
      helpValue: 'PORT',
    }),
    bind: Flags.string({
      description: 'local address to listen on (default: localhost, by IPv4 and IPv6)',
      helpValue: 'ADDR',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Reach)
    const name = parseServiceName(args.name)
    const port = flags.port === undefined ? undefined : parsePort(flags.port)
    const saved = requireConfig(instanceFor(flags.config))
    const config = { ...saved, hub: hubOf(saved) }
    const { bind } = flags
    await this.carryData(async (signal) => {
      const log = terminalLog((line) => this.printError(line))
      const reached = await reach({ config, name, bind, port, version: this.config.version, log }, signal)
      const { service, addresses, port: taken, because } = reached
      const from = `${printable(service.label)}${service.online ? '' : ', which is not connected now'}`
      const [host = ''] = addresses
      if (this.jsonEnabled()) this.logJson({ name, host, port: taken, addresses, online: service.online })
      // Both of its addresses lead here.
      const shown = addresses.length > 1 ? 'localhost' : host
      this.print(`[ok] ${name} (from ${from}) is at ${formatTarget({ host: shown, port: taken })}`)
      if (because !== undefined) this.print(`  ${because}, so it is ${taken}`)
      this.print('  Ctrl-C to stop')
      await reached.ended
    })
  }
}
