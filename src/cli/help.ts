import { CommandHelp, Errors, Help } from '@oclif/core'
import { ConnectError } from '../errors.ts'

const EXAMPLES = `Run a hub of your own; then, in another terminal, join it:

$ connect hub
$ connect hub token create | connect login --hub 127.0.0.1:7700 --token-file -

Offer a service of this machine, now and after each start:

$ connect expose localhost:5432 --name postgres
$ connect daemon install

Reach it from another machine that has joined:

$ connect reach postgres`

/** oclif's shows the last line of a description alone (hideCommandSummaryInDescription). */
class WholeCommandHelp extends CommandHelp {
  protected override description(): string | undefined {
    const { summary, description = '' } = this.command
    // Without a summary the first line stands for it, above.
    const rest = summary === undefined ? description.split('\n').slice(1).join('\n').trim() : description
    return rest === '' ? undefined : this.wrap(rest)
  }
}

/** oclif's help, with examples for the whole, and each topic told once. */
export default class ConnectHelp extends Help {
  protected override CommandHelpClass = WholeCommandHelp

  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv)
      if (argv.length === 0) this.log(this.section('THIS MACHINE', (await whereItStands()).join('\n')))
    } catch (error) {
      // `help strat`: the hook knows what was meant.
      if (!(error instanceof Errors.CLIError) || error instanceof Errors.ExitError) throw error
      const words = argv.filter((word) => !word.startsWith('-'))
      await this.config.runHook('command_not_found', { argv: [], id: words.join(':') })
    }
  }

  override formatRoot(): string {
    return `${super.formatRoot()}\n\n${this.section('EXAMPLES', EXAMPLES)}`
  }

  /** A topic that is a command as well stands among the commands. */
  protected override get sortedTopics() {
    return super.sortedTopics.filter(({ name }) => !this.config.commandIDs.includes(name))
  }
}

/** What `connect` alone prints. */
async function whereItStands(): Promise<string[]> {
  const [{ readConfig }, { instanceFor }, { FIRST_STEPS }, { printable }] = await Promise.all([
    import('../config/config.ts'),
    import('../config/instance.ts'),
    import('../config/first-steps.ts'),
    import('../text/printable.ts'),
  ])
  try {
    const config = readConfig(instanceFor())
    if (!config) return ['Not logged in to a hub yet. Next:', ...FIRST_STEPS.map((line) => `  ${line}`)]
    const { hub, label, agentId } = config
    return [`Logged in to ${hub} as ${printable(label)} (${agentId})`, 'The agent: connect daemon status']
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    return [`[!] ${error.message}`, ...error.hints.map((line) => `  ${line}`)]
  }
}
