import { parseLine, type Level } from '../line.ts'
import { entryOf, isAtLeast, type LogEntry } from './entries.ts'

/** Which lines are wanted. */
export interface LogFilter {
  /** The lines of this level, and of worse ones. */
  readonly level: Level
  readonly since?: Date | undefined
  /** How many at the most, from the end. */
  readonly count: number
}

/** A line as it stands in the file, and what it says. */
export interface LogLine {
  readonly line: string
  readonly entry: LogEntry
}

export interface SelectedLines {
  readonly lines: LogLine[]
  /** Whether the log has no line at all, wanted or not. */
  readonly isEmpty: boolean
  /** When the last line was written. */
  readonly lastTime: string | null
}

/** How far back the time of a crash report is looked for, in characters. */
const LOOK_BACK = 1024 * 1024

export function isWanted({ time, level }: LogEntry, filter: LogFilter): boolean {
  if (!isAtLeast(level, filter.level)) return false
  // A line that nobody knows the time of is shown: it may be the crash that is looked for.
  return filter.since === undefined || time === null || Date.parse(time) >= filter.since.getTime()
}

/** @param lines newest first; no more are taken than are needed */
export function selectLines(lines: Iterable<string>, filter: LogFilter): SelectedLines {
  const { since, count } = filter
  const selected: LogLine[] = []
  /** Lines without a time of their own, until the line before them is reached that has one. */
  let waiting: string[] = []
  let lastTime: string | null = null
  let isEmpty = true
  let lookedAt = 0
  const take = (line: string, time: string | null) => {
    const entry = entryOf(line, time)
    if (selected.length < count && isWanted(entry, filter)) selected.push({ line, entry })
  }
  for (const line of lines) {
    isEmpty = false
    const time = parseLine(line)?.time
    if (time === undefined) {
      if (selected.length + waiting.length >= count) lookedAt += line.length + 1
      else waiting.push(line)
      if (lookedAt > LOOK_BACK) break
      continue
    }
    lastTime ??= time
    const isTooOld = since !== undefined && Date.parse(time) < since.getTime()
    if (!isTooOld) for (const one of [...waiting, line]) take(one, time)
    waiting = []
    // An older line ends nothing: a clock that was set wrong for a while leaves lines out of order.
    if (selected.length >= count) break
  }
  for (const line of waiting) take(line, null)
  return { lines: selected.toReversed(), isEmpty, lastTime }
}
