import { CommandHelp, Errors, Help } from '@oclif/core'
import { problemLine } from '../plugins/plugin-problem.ts'
import { printable, printableLines } from '../text/printable.ts'
import { groupCommands, OF_PLUGINS } from './help-groups.ts'
import { problemsAtLoad } from './plugins/problems-at-load.ts'

/** A first session, in short. */
export const EXAMPLES = `A hub for your machines, on one of them, and an invite for each of the others:

$ connect hub install --listen 0.0.0.0:7700
$ connect hub token create --invite

Offer a service of another machine, now and after each start:

$ connect login
$ connect daemon install
$ connect expose localhost:5432 --name postgres

Reach it from any machine that has joined:

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

/** oclif's help, with examples for the whole, commands by what they are for, and each topic told once. */
export default class ConnectHelp extends Help {
  protected override CommandHelpClass = WholeCommandHelp

  override async showHelp(argv: string[]): Promise<void> {
    try {
      await super.showHelp(argv)
    } catch (error) {
      // `help strat`: the hook knows what was meant.
      if (!(error instanceof Errors.CLIError) || error instanceof Errors.ExitError) throw error
      const words = argv.filter((word) => !word.startsWith('-'))
      await this.config.runHook('command_not_found', { argv: [], id: words.join(':') })
    }
  }

  protected override async showRootHelp(): Promise<void> {
    const isShown = (id: string) => this.opts.all || !id.includes(':')
    const commands = this.sortedCommands.filter(({ id }) => isShown(id))
    const topics = this.sortedTopics.filter(({ name }) => isShown(name))
    const grouped = groupCommands(commands)
    const groups = grouped.map(([title, members]) => this.formatCommands(members).replace('COMMANDS', title))
    const begun = grouped.some(([title]) => title === OF_PLUGINS)
    const more = this.formatTopics(topics).replace('TOPICS', begun ? `MORE ${OF_PLUGINS}` : OF_PLUGINS)
    const manual =
      process.platform === 'win32'
        ? ''
        : this.section('MANUAL', 'man connect, and a page for each command: man connect-daemon')
    for (const section of [this.formatRoot(), ...groups, more, manual].filter(Boolean))
      this.log(`${section}\n`)
    // Their commands may be what one looks for.
    for (const problem of problemsAtLoad()) process.stderr.write(`[!] ${printable(problemLine(problem))}\n`)
  }

  /** What a plugin says of its commands is not ours. */
  protected override log(...texts: string[]): void {
    super.log(...texts.map(printableLines))
  }

  override formatRoot(): string {
    return `${super.formatRoot()}\n\n${this.section('EXAMPLES', EXAMPLES)}`
  }

  /** A topic that is a command as well stands among the commands. */
  protected override get sortedTopics() {
    return super.sortedTopics.filter(({ name }) => !this.config.commandIDs.includes(name))
  }
}
