import { Flags } from '@oclif/core'
import { displayLine } from '../../agent/log.ts'
import { DaemonCommand } from '../../cli/daemon-command.ts'
import { tilde } from '../../config/tilde.ts'
import { lastLines } from '../../process/log-tail.ts'

const RULE = '─'.repeat(56)

export default class DaemonLogs extends DaemonCommand {
  static override summary = 'Display daemon logs'
  static override flags = {
    lines: Flags.integer({
      char: 'n',
      description: 'how many lines, from the end',
      default: 50,
      helpValue: 'N',
      min: 1,
      max: 1_000_000,
    }),
  }

  async run() {
    const { flags } = await this.parse(DaemonLogs)
    const { context } = await this.contextFor(flags)
    const { logFile } = context.instance
    const lines = lastLines(logFile, flags.lines) ?? []
    if (lines.length === 0) {
      this.say('No logs yet')
      return { file: logFile, lines }
    }
    this.say(`📋 Daemon Logs (${tilde(logFile)})`)
    this.say()
    this.say(RULE)
    for (const line of lines) this.say(displayLine(line))
    this.say(RULE)
    this.say()
    const s = lines.length === 1 ? '' : 's'
    this.say(`  Showing last ${lines.length} line${s}. Full log: ${tilde(logFile)}`)
    return { file: logFile, lines }
  }
}
