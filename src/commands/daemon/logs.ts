import { Flags } from '@oclif/core'
import { DaemonCommand } from '../../cli/daemon-command.ts'
import { untilInterrupted } from '../../cli/until-interrupted.ts'
import { ConnectError } from '../../errors.ts'
import { readTail } from '../../log/file/tail.ts'
import { LEVELS } from '../../log/line.ts'
import { followLog } from '../../log/view/follow.ts'
import { describeFilter, footer, header, shown } from '../../log/view/frame.ts'
import { LogOutput } from '../../log/view/output.ts'
import { selectLines, type LogFilter, type LogLine } from '../../log/view/select.ts'
import { parseSince } from '../../log/view/since.ts'
import { checkConfig, type DaemonContext } from '../../tasks/daemon-context.ts'
import { printableJson } from '../../text/printable.ts'

export default class DaemonLogs extends DaemonCommand {
  static override summary = 'Display daemon logs'
  static override examples = [
    '<%= config.bin %> daemon logs --follow',
    '<%= config.bin %> daemon logs --since 2h --level warn',
  ]
  static override flags = {
    lines: Flags.integer({
      char: 'n',
      description: 'how many lines, from the end (default: 50; with --since all of them)',
      helpValue: 'N',
      min: 0,
      max: 1_000_000,
    }),
    follow: Flags.boolean({ char: 'f', description: 'print lines as they come, too, until Ctrl-C' }),
    since: Flags.string({
      description: 'only lines since then: 10m, 2h, 7d, 10:30, 2026-11-22 or "2026-11-22 10:30"',
      helpValue: 'TIME',
    }),
    level: Flags.option({ description: 'only lines of that level, and worse', options: LEVELS })(),
  }

  async run() {
    const { flags } = await this.parse(DaemonLogs)
    const since = flags.since === undefined ? undefined : parseSince(flags.since)
    const count = flags.lines ?? (since ? Number.POSITIVE_INFINITY : 50)
    if (count === 0 && !flags.follow) {
      throw new ConnectError('BAD_VALUE', '--lines 0 shows nothing without --follow')
    }
    const { context } = this.contextFor(flags)
    const { logFile } = context.instance
    const filter = { level: flags.level ?? 'info', since, count }
    return flags.follow ? this.#follow(logFile, filter) : this.#show(context, filter)
  }

  async #show(context: DaemonContext, filter: LogFilter) {
    const file = context.instance.logFile
    const { lines, isEmpty } = readTail(file, (all) => selectLines(all, filter)).found
    if (isEmpty) checkConfig(context)
    if (lines.length === 0) this.print(isEmpty ? 'No logs yet' : `No log lines${describeFilter(filter)}`)
    else if (!this.jsonEnabled()) {
      const output = new LogOutput()
      await output.print([...header(file), ...lines.map(shown), ...footer(file, lines.length)])
      output.release()
    }
    return { file, lines: lines.map(({ entry }) => entry) }
  }

  async #follow(file: string, filter: LogFilter): Promise<void> {
    const output = new LogOutput()
    await untilInterrupted(async (interrupted) => {
      const signal = AbortSignal.any([interrupted, output.closed])
      const asJson = this.jsonEnabled()
      const format = asJson ? ({ entry }: LogLine) => printableJson(entry) : shown
      const onStart = () => output.print(asJson ? [] : header(file), signal)
      const print = (lines: readonly LogLine[]) => output.print(lines.map(format), signal)
      const warn = (line: string) => process.stderr.write(`${line}\n`)
      await followLog(file, { filter, onStart, print, warn }, signal)
    })
    output.release()
  }
}
