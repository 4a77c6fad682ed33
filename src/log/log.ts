import { printable } from '../text/printable.ts'
import { clockTime, type Level } from './line.ts'

/** Where the agent tells what it does. */
export type Log = (text: string, level?: Level) => void

/** What `connect up` prints in the foreground. */
export function terminalLog(write: (line: string) => void): Log {
  return (text) => write(`[${clockTime(new Date())}] ${printable(text)}`)
}
