import { printable } from '../text/printable.ts'

/** From the least to the worst. */
export const LEVELS = ['info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

/** A line as it stands on disk: the full time, so that logs of many days can be read. */
export function formatLine(time: Date, level: Level, text: string): string {
  return `${localIso(time)} ${level.padEnd(5)} ${printable(text)}`
}

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d) (info |warn |error) (.*)$/

/** @returns undefined if formatLine has not made it: a crash report, for example */
export function parseLine(line: string): { time: string; level: Level; text: string } | undefined {
  const [, time, level, text] = LINE.exec(line) ?? []
  if (time === undefined || text === undefined) return undefined
  return { time, level: level!.trimEnd() as Level, text }
}

/** What is longer is nothing that anyone reads, such as zeros that a crash has left; in characters. */
const MAX_SHOWN = 10_000

/** What is shown of a line's text. */
export function shownText(text: string): string {
  const more = text.length - MAX_SHOWN
  return more > 0 ? `${text.slice(0, MAX_SHOWN)}… (${more} more characters)` : text
}

/**
 * A line as it is shown: `[10:30:00] …`. Anything else in the file, such as a crash report, stays as it is.
 */
export function displayLine(line: string): string {
  const parsed = parseLine(line)
  return printable(parsed ? `[${parsed.time.slice(11, 19)}] ${shownText(parsed.text)}` : shownText(line))
}

/** The time of day. */
export function clockTime(time: Date): string {
  return localIso(time).slice(11, 19)
}

/** RFC 3339 in local time, with milliseconds and the offset. */
export function localIso(time: Date): string {
  const offset = -time.getTimezoneOffset()
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, -1)
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map((n) =>
    String(n).padStart(2, '0'),
  )
  return `${local}${offset < 0 ? '-' : '+'}${hours}:${minutes}`
}
