import { writeSync, openSync } from 'node:fs'
import { printable } from '../config/label.ts'

export type Level = 'info' | 'warn' | 'error'

/** Where the agent tells what it does. */
export type Log = (text: string, level?: Level) => void

/** The kept-alive agent's log, through a descriptor of its own: appended to, whoever else writes there. */
export function fileLog(file: string): Log {
  const descriptor = openSync(file, 'a', 0o600)
  return (text, level = 'info') => {
    try {
      writeSync(descriptor, `${formatLine(new Date(), level, text)}\n`)
    } catch {
      // A full disk costs the line, not the connections that the agent carries.
    }
  }
}

/** What `connect up` prints in the foreground. */
export function terminalLog(write: (line: string) => void): Log {
  return (text) => write(`[${clockTime(new Date())}] ${printable(text)}`)
}

/** A line as it stands on disk: the full time, so that logs of many days can be read. */
export function formatLine(time: Date, level: Level, text: string): string {
  return `${localIso(time)} ${level.padEnd(5)} ${printable(text)}`
}

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d) (info |warn |error) (.*)$/

/** A line as it is shown: `[10:30:00] …`. Anything else in the file, such as a crash report, stays as it is. */
export function displayLine(line: string): string {
  const [, time, , text] = LINE.exec(line) ?? []
  return printable(time === undefined ? line : `[${time.slice(11, 19)}] ${text}`)
}

function clockTime(time: Date): string {
  return localIso(time).slice(11, 19)
}

/** RFC 3339 in local time, with milliseconds and the offset. */
function localIso(time: Date): string {
  const offset = -time.getTimezoneOffset()
  const local = new Date(time.getTime() + offset * 60_000).toISOString().slice(0, -1)
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60].map((n) =>
    String(n).padStart(2, '0'),
  )
  return `${local}${offset < 0 ? '-' : '+'}${hours}:${minutes}`
}
