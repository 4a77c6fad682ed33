import { printable } from '../../text/printable.ts'
import { tilde } from '../../text/tilde.ts'
import { localIso } from '../line.ts'
import { shownLine } from './entries.ts'
import type { LogFilter, LogLine } from './select.ts'

const RULE = '─'.repeat(56)

/**
 * What stands above the log's lines.
 *
 * @param subject whose log it is, such as `Daemon`
 */
export function header(file: string, subject: string): string[] {
  return [`📋 ${subject} Logs (${printable(tilde(file))})`, '', RULE]
}

/** What stands below them, once all are there. */
export function footer(file: string, count: number): string[] {
  return [
    RULE,
    '',
    `  Showing last ${count} line${count === 1 ? '' : 's'}. Full log: ${printable(tilde(file))}`,
  ]
}

/** A line as this terminal, or this pipe, gets it. */
export function shown({ line, entry }: LogLine): string {
  const { NO_COLOR, TERM } = process.env
  return shownLine(line, entry.level, { colour: process.stdout.isTTY && !NO_COLOR && TERM !== 'dumb' })
}

/** @returns ` at warn or above since 2026-11-22 10:30:00`, or nothing */
export function describeFilter({ level, since }: LogFilter): string {
  const least = level === 'warn' ? ' at warn or above' : level === 'error' ? ' at error' : ''
  return since ? `${least} since ${localIso(since).slice(0, 19).replace('T', ' ')}` : least
}
