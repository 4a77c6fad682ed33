import { Args, Flags } from '@oclif/core'
import { foreignWords } from '../cli/argv/foreign-words.ts'
import { programAt } from '../cli/argv/program.ts'
import { parseReachLine, type Command } from '../cli/argv/reach-line.ts'
import type { WantedService } from '../cli/argv/wanted-services.ts'
import { ConnectCommand } from '../cli/command.ts'
import { configFlag } from '../cli/flags.ts'
import { formatKept } from '../cli/format/kept.ts'
import { formatReached, reachedDocument } from '../cli/format/reached.ts'
import { formatReaches } from '../cli/format/reaches.ts'
import { offerDaemon } from '../cli/kept/offer-daemon.ts'
import { byteInput } from '../cli/output/byte-input.ts'
import { byteOutput } from '../cli/output/byte-output.ts'
import { userPlugins } from '../cli/plugins/ask-user-plugins.ts'
import { hubOf, requireConfig, type Config } from '../config/config.ts'
import { instanceFor, type AgentInstance } from '../config/instance.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { terminalLog, type Log } from '../log/log.ts'
import { runInForeground } from '../process/foreground.ts'
import { reach, type Reached, type ReachOptions } from '../reach/reach.ts'
import { carryStdio } from '../reach/stdio.ts'
import { keep, type Keeping } from '../tasks/reaches/keep.ts'
import { listReaches } from '../tasks/reaches/list.ts'
import { NO_AGENT, type ShownReach } from '../tasks/reaches/shown-reach.ts'
import { startStep } from '../tasks/machine/start-step.ts'

export default class Reach extends ConnectCommand {
  static override summary =
    'Open a local port, or a Unix socket, that leads to a service of the workspace, until Ctrl-C'
  static override description = `With --keep it is saved, and the agent holds the port whenever it runs: after a restart or a reboot too. Without a name it lists what is kept.

With a program behind -- it is there for that one, and ends with it: {host} and {port} in its arguments are replaced, and CONNECT_HOST and CONNECT_PORT set.`
  static override usage = ['reach [NAME[:PORT]]... [OPTIONS]', 'reach NAME [OPTIONS] -- PROGRAM [ARG]...']
  static override examples = [
    '<%= config.bin %> reach postgres',
    '<%= config.bin %> reach postgres --port 15432',
    '<%= config.bin %> reach postgres redis:16379',
    '<%= config.bin %> reach postgres -- psql -h {host} -p {port} -U postgres',
    '<%= config.bin %> reach postgres --keep',
    '<%= config.bin %> reach postgres --socket ~/pg/.s.PGSQL.5432',
    'ssh -o ProxyCommand="<%= config.bin %> reach ssh --stdio" user@server',
  ]
  static override enableJsonFlag = true
  static override args = {
    name: Args.string({
      description: 'a service’s name, and its local port if that matters; without any, list what is kept',
      multiple: true,
    }),
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
    const instance = instanceFor(flags.config)
    const line = parseReachLine(args.name, flags, foreignWords())
    if (line.does === 'list') return this.#list(instance)
    const saved = requireConfig(instance)
    const config = { ...saved, hub: hubOf(saved) }
    const { bind } = flags
    if (line.does === 'carry stdio') return this.#carryStdio(line.name, config)
    if (line.does === 'keep') {
      const keeping = await this.#keep(instance, config, line.services, bind)
      if (!keeping.at(-1)!.hasAgent) await this.#offerToHold(instance, flags.config)
      return keeping.length === 1 ? keeping[0] : undefined
    }
    const log = terminalLog((text) => this.printError(text))
    const options = { config, services: line.services, bind, version: this.config.version, log }
    if (line.program) await this.#forProgram(options, line.program)
    else await this.#untilInterrupted(options)
  }

  async #untilInterrupted(options: ReachOptions): Promise<void> {
    await this.carryData(async (signal) => {
      const { services, ended } = await reach(options, signal)
      for (const one of services) {
        if (this.jsonEnabled()) this.#printJson(this.toSuccessJson(reachedDocument(one)), services.length > 1)
        for (const line of formatReached(one)) this.print(line)
      }
      this.print('  Ctrl-C to stop')
      await ended
    })
  }

  /** Is there for as long as the program runs. What goes well, or comes of our own end, is not said. */
  async #forProgram(options: ReachOptions, command: Command): Promise<void> {
    await this.carryDataBeside(async () => {
      const stop = new AbortController()
      // The program is told its port, and no one else has to know it.
      const services = options.services.map(({ name, port = 0 }) => ({ name, port }))
      const log: Log = (text, level = 'info') => {
        if (level !== 'info' && !stop.signal.aborted) options.log(text, level)
      }
      const reached = await reach({ ...options, services, log }, stop.signal)
      // The program goes on: how it ends is its own business.
      const told = reached.ended.catch((error: unknown) => this.printError(`[x] ${messageOf(error)}`))
      try {
        process.exitCode = await this.#run(command, reached.services[0]!)
        await reached.delivered()
      } finally {
        stop.abort()
        await told
      }
    })
  }

  /** @returns the program's exit code */
  #run(command: Command, place: Reached['services'][number]): Promise<number> {
    const { name, label, online } = place.service
    if (!online) this.printWarning(`${name} is from ${label}, which is not connected now`)
    const program = programAt(command, process.env, place)
    return runInForeground(program.command, program.env)
  }

  async #list(instance: AgentInstance): Promise<{ reaches: ShownReach[] }> {
    requireConfig(instance)
    const reaches = await listReaches(instance)
    for (const line of formatReaches(reaches)) this.print(line)
    if (reaches.length === 0) this.suggestNext('connect reach NAME --keep')
    if (reaches.some(({ reason }) => reason === NO_AGENT))
      this.tellStep(await startStep(instance, userPlugins(this.config)))
    return { reaches }
  }

  /** With --json each is printed at once where there are several. */
  async #keep(
    instance: AgentInstance,
    config: Config,
    wanted: readonly WantedService[],
    bind: string | undefined,
  ): Promise<Keeping[]> {
    const all: Keeping[] = []
    for (const { name, port } of wanted) {
      const keeping = await keep(instance, config, { name, port, bind }).catch((error: unknown) => {
        throw withKept(error, all)
      })
      const { results, warnings } = formatKept(keeping, port === undefined)
      for (const line of results) this.print(line)
      for (const warning of warnings) this.printWarning(warning)
      if (wanted.length > 1 && this.jsonEnabled()) this.#printJson(this.toSuccessJson(keeping), true)
      all.push(keeping)
    }
    return all
  }

  /** What is kept is of no use before an agent holds it. */
  async #offerToHold(instance: AgentInstance, configFile: string | undefined): Promise<void> {
    const what = 'it is held from now on'
    const step = await startStep(instance, userPlugins(this.config))
    const code = this.jsonEnabled() ? undefined : await offerDaemon(step, what, configFile)
    if (code === undefined) this.tellStep(step)
    // What went wrong has been said.
    else if (code !== 0) process.exitCode = code
    else for (const line of formatReaches(await listReaches(instance))) this.print(line)
  }

  #printJson(document: unknown, isOneOfMany: boolean): void {
    if (isOneOfMany) this.logJsonLine(document)
    else this.logJson(document)
  }

  /** Nothing but what is carried goes to stdout. Whoever ends it by a signal sees that it ended by that. */
  async #carryStdio(name: string, config: Config): Promise<void> {
    const input = byteInput()
    let endedBy: NodeJS.Signals | undefined
    await this.carryData(async (signal) => {
      const tell = (line: string) => this.printError(line)
      const { version } = this.config
      await carryStdio({ config, name, version, tell, input, output: byteOutput() }, signal)
      if (signal.aborted) endedBy = signal.reason as NodeJS.Signals
    })
    if (endedBy) process.kill(process.pid, endedBy)
  }
}

/** What was kept before one of several failed stays so, and somebody may take the error for all of them. */
function withKept(error: unknown, before: readonly Keeping[]): unknown {
  const changed = before.filter(({ outcome }) => outcome !== 'unchanged')
  if (!(error instanceof ConnectError) || changed.length === 0) return error
  const told = changed.map(({ outcome, reach }) => `${reach.name} (${outcome})`).join(', ')
  const hints = [...error.hints, `What came before it holds: ${told}. To take one back: connect unreach NAME`]
  return new ConnectError(error.code, error.message, { hints, cause: error })
}
