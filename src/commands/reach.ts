import { Args, Errors, Flags } from '@oclif/core'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag, parsePort } from '../cli/flags.ts'
import { formatKept } from '../cli/format/kept.ts'
import { formatReaches } from '../cli/format/reaches.ts'
import { byteOutput } from '../cli/output/byte-output.ts'
import { hubOf, requireConfig, type Config } from '../config/config.ts'
import { instanceFor, type Instance } from '../config/instance.ts'
import { parseServiceName } from '../config/service-name.ts'
import { parseSocketPath } from '../config/socket-path.ts'
import { formatTarget } from '../config/target.ts'
import { terminalLog } from '../log/log.ts'
import { reach } from '../reach/reach.ts'
import { carryStdio } from '../reach/stdio.ts'
import { keep, type Keeping } from '../tasks/reaches/keep.ts'
import { listReaches } from '../tasks/reaches/list.ts'
import type { ShownReach } from '../tasks/reaches/shown-reach.ts'
import { printable } from '../text/printable.ts'

export default class Reach extends ConnectCommand {
  static override summary =
    'Open a local port, or a Unix socket, that leads to a service of the workspace, until Ctrl-C'
  static override description =
    'With --keep it is saved, and the agent holds the port whenever it runs: after a restart or a reboot too. Without a name it lists what is kept.'
  static override examples = [
    '<%= config.bin %> reach postgres',
    '<%= config.bin %> reach postgres --port 15432',
    '<%= config.bin %> reach postgres --keep',
    '<%= config.bin %> reach postgres --socket ~/pg/.s.PGSQL.5432',
    'ssh -o ProxyCommand="<%= config.bin %> reach ssh --stdio" user@server',
  ]
  static override enableJsonFlag = true
  static override args = {
    name: Args.string({ description: 'the service’s name; without it, list what is kept' }),
  }
  static override flags = {
    ...configFlag,
    port: Flags.string({
      description: 'local port; 0 for a free one (default: the service’s own, or the next free one)',
      helpValue: 'PORT',
    }),
    keep: Flags.boolean({
      description: 'have the agent hold the port from now on; connect unreach NAME takes it back',
    }),
    bind: Flags.string({
      description: 'local address to listen on (default: localhost, by IPv4 and IPv6)',
      helpValue: 'ADDR',
    }),
    socket: Flags.string({
      description: 'listen at a Unix socket of this path instead, for your user alone',
      helpValue: 'PATH',
      exclusive: ['port', 'bind', 'keep'],
    }),
    stdio: Flags.boolean({
      description: 'carry stdin and stdout to the service, and open no port',
      exclusive: ['port', 'bind', 'socket', 'keep', 'json'],
    }),
  }

  async run(): Promise<void | { reaches: ShownReach[] } | Keeping> {
    const { args, flags } = await this.parse(Reach)
    const { bind, keep } = flags
    const port = flags.port === undefined ? undefined : parsePort(flags.port)
    const instance = instanceFor(flags.config)
    if (args.name === undefined) {
      const needy = ['keep', 'port', 'bind', 'socket', 'stdio'].find((flag) => flag in flags)
      if (needy !== undefined) throw new Errors.CLIError(`--${needy} needs the name of a service`)
      return this.#list(instance)
    }
    const name = parseServiceName(args.name)
    const socketPath = flags.socket === undefined ? undefined : parseSocketPath(flags.socket, 'BAD_VALUE')
    const saved = requireConfig(instance)
    const config = { ...saved, hub: hubOf(saved) }
    if (flags.stdio) return this.#carryStdio(name, config)
    if (keep) return this.#keep(instance, config, { name, port, bind })
    await this.carryData(async (signal) => {
      const log = terminalLog((line) => this.printError(line))
      const { version } = this.config
      const reached = await reach({ config, name, bind, port, socketPath, version, log }, signal)
      const { service, addresses, port: taken, because } = reached
      const from = `${printable(service.label)}${service.online ? '' : ', which is not connected now'}`
      const [host = null] = addresses
      if (this.jsonEnabled())
        this.logJson({
          name,
          host,
          port: socketPath === undefined ? taken : null,
          addresses,
          socket: socketPath ?? null,
          online: service.online,
        })
      // Both of its addresses lead here.
      const shown = addresses.length > 1 ? 'localhost' : (host ?? '')
      const place = socketPath === undefined ? { host: shown, port: taken } : { path: socketPath }
      this.print(`[ok] ${name} (from ${from}) is at ${formatTarget(place)}`)
      if (because !== undefined) this.print(`  ${because}, so it is ${taken}`)
      this.print('  Ctrl-C to stop')
      await reached.ended
    })
  }

  async #list(instance: Instance): Promise<{ reaches: ShownReach[] }> {
    requireConfig(instance)
    const reaches = await listReaches(instance)
    for (const line of formatReaches(reaches)) this.print(line)
    return { reaches }
  }

  async #keep(
    instance: Instance,
    config: Config,
    wish: { name: string; port: number | undefined; bind: string | undefined },
  ): Promise<Keeping> {
    const keeping = await keep(instance, config, wish)
    const { results, warnings } = formatKept(keeping)
    for (const line of results) this.print(line)
    for (const line of warnings) this.printError(line)
    return keeping
  }

  /** Nothing but what is carried goes to stdout. Whoever ends it by a signal sees that it ended by that. */
  async #carryStdio(name: string, config: Config): Promise<void> {
    let endedBy: NodeJS.Signals | undefined
    await this.carryData(async (signal) => {
      const tell = (line: string) => this.printError(line)
      const { version } = this.config
      await carryStdio({ config, name, version, tell, input: process.stdin, output: byteOutput() }, signal)
      if (signal.aborted) endedBy = signal.reason as NodeJS.Signals
    })
    if (endedBy) process.kill(process.pid, endedBy)
  }
}
