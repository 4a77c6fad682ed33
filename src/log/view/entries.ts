import { styleText } from 'node:util'
import { displayLine, LEVELS, parseLine, shownText, type Level } from '../line.ts'

/** A line of the log, as --json shows it. */
export interface LogEntry {
  /** RFC 3339; null if neither the line nor one before it tells. */
  readonly time: string | null
  readonly level: Level
  /** See shownText. */
  readonly text: string
}

/**
 * @param timeBefore when the line before was written: one that is not ours, such as a crash report,
 * has no time
 */
export function entryOf(line: string, timeBefore: string | null): LogEntry {
  const parsed = parseLine(line)
  if (!parsed) return { time: timeBefore, level: 'error', text: shownText(line) }
  return { time: parsed.time, level: parsed.level, text: shownText(parsed.text) }
}

export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least)
}

/** A line as a person sees it. */
export function shownLine(line: string, level: Level, options: { colour: boolean }): string {
  const shown = displayLine(line)
  if (!options.colour || level === 'info') return shown
  return styleText(level === 'warn' ? 'yellow' : 'red', shown, { validateStream: false })
}
