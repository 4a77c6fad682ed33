import { Flags } from '@oclif/core'
import { ConnectError } from '../../errors.ts'
import { readTail } from '../../log/file/tail.ts'
import { LEVELS } from '../../log/line.ts'
import { followLog } from '../../log/view/follow.ts'
import { describeFilter, footer, header, shown } from '../../log/view/frame.ts'
import { LogOutput } from '../../log/view/output.ts'
import { selectLines, type LogFilter, type LogLine } from '../../log/view/select.ts'
import { parseSince } from '../../log/view/since.ts'
import { printableJson } from '../../text/printable.ts'
import { untilInterrupted } from '../until-interrupted.ts'

/** Which lines of a log are shown. */
export const logFlags = {
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

export interface ShowLogsOptions {
  /** Whose log it is, such as `Daemon`. */
  readonly subject: string
  readonly asJson: boolean
  /** Prints one line that is no log line. */
  readonly print: (line: string) => void
  /** Told if there is nothing at all in the log. @throws ConnectError if that has a cause */
  readonly onEmpty?: () => void
}

interface LogChoice {
  readonly lines?: number | undefined
  readonly follow: boolean
  readonly since?: string | undefined
  readonly level?: LogFilter['level'] | undefined
}

/**
 * Shows the last lines of a log, and with `follow` those that come, until Ctrl-C.
 *
 * @returns the lines for --json; with `follow` they have been printed
 * @throws ConnectError BAD_VALUE, LOG_UNREADABLE
 */
export async function showLogs(
  file: string,
  choice: LogChoice,
  options: ShowLogsOptions,
): Promise<{ file: string; lines: LogLine['entry'][] } | undefined> {
  const since = choice.since === undefined ? undefined : parseSince(choice.since)
  const count = choice.lines ?? (since ? Number.POSITIVE_INFINITY : 50)
  if (count === 0 && !choice.follow) {
    throw new ConnectError('BAD_VALUE', '--lines 0 shows nothing without --follow')
  }
  const filter = { level: choice.level ?? 'info', since, count }
  if (!choice.follow) return show(file, filter, options)
  await follow(file, filter, options)
  return undefined
}

async function show(file: string, filter: LogFilter, { subject, asJson, print, onEmpty }: ShowLogsOptions) {
  const { lines, isEmpty } = readTail(file, (all) => selectLines(all, filter)).found
  if (isEmpty) onEmpty?.()
  if (lines.length === 0) print(isEmpty ? 'No logs yet' : `No log lines${describeFilter(filter)}`)
  else if (!asJson) {
    const output = new LogOutput()
    await output.print([...header(file, subject), ...lines.map(shown), ...footer(file, lines.length)])
    output.release()
  }
  return { file, lines: lines.map(({ entry }) => entry) }
}

async function follow(file: string, filter: LogFilter, { subject, asJson }: ShowLogsOptions): Promise<void> {
  const output = new LogOutput()
  await untilInterrupted(async (interrupted) => {
    const signal = AbortSignal.any([interrupted, output.closed])
    const format = asJson ? ({ entry }: LogLine) => printableJson(entry) : shown
    const onStart = () => output.print(asJson ? [] : header(file, subject), signal)
    const print = (lines: readonly LogLine[]) => output.print(lines.map(format), signal)
    const warn = (line: string) => process.stderr.write(`${line}\n`)
    await followLog(file, { filter, onStart, print, warn }, signal)
  })
  output.release()
}
