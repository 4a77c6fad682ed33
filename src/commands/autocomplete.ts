import { homedir } from 'node:os'
import path from 'node:path'
import { Args } from '@oclif/core'
import { SHELLS } from '../cli/completion/complete.ts'
import { setupLines, startLine } from '../cli/completion/setup-lines.ts'
import { ConnectCommand } from '../cli/command.ts'
import { ConnectError } from '../errors.ts'

export default class Autocomplete extends ConnectCommand {
  static override summary = 'Have your shell complete commands, options, and the names of services'
  static override description =
    'On a terminal it tells what to run, once. Piped on it prints the script that does it: that only asks the program, and is the same for every version.'
  static override examples = [
    '<%= config.bin %> autocomplete',
    'eval "$(<%= config.bin %> autocomplete bash)"',
    '<%= config.bin %> autocomplete fish > ~/.config/fish/completions/connect.fish',
  ]
  static override args = {
    shell: Args.string({
      description: 'the shell (default: your login shell, on Windows PowerShell)',
      options: Object.keys(SHELLS),
    }),
  }

  async run(): Promise<void> {
    const { args } = await this.parse(Autocomplete)
    const name = args.shell ?? loginShell()
    // Its own lines: a shell is to read them.
    if (!process.stdout.isTTY) return this.log(SHELLS[name]!.script.trimEnd())
    const lines = setupLines(name, { home: homedir(), env: process.env, platform: process.platform })
    this.print(`Run this once, and each ${name} that you open from then on completes connect:`)
    this.print()
    for (const line of lines) this.log(`  ${line}`)
    this.print()
    this.print('In this one at once:')
    this.print()
    this.log(`  ${startLine(name)}`)
  }
}

/** @throws ConnectError BAD_VALUE if it is none that we know */
function loginShell(): string {
  const name = process.platform === 'win32' ? 'powershell' : path.basename(process.env.SHELL ?? '')
  if (Object.hasOwn(SHELLS, name)) return name
  const known = Object.keys(SHELLS)
  throw new ConnectError('BAD_VALUE', 'Which shell to complete in is not known', {
    hints: known.map((shell) => `Run: connect autocomplete ${shell}`),
  })
}
