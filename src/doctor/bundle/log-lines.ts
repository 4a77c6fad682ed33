import { existsSync } from 'node:fs'
import { readTail } from '../../log/file/tail.ts'
import { parseLine } from '../../log/line.ts'
import type { BundledLine } from './bundled.ts'
import type { Redactor } from './redactor.ts'

/** How many lines of a log are taken, from its end. */
const LINES = 300

/** What is longer is a dump, or a file full of something else; in characters. */
const MAX_LINE = 1000

/** @returns null if there is no log @throws ConnectError LOG_UNREADABLE */
export function logLines(file: string, redactor: Redactor): BundledLine[] | null {
  if (!existsSync(file)) return null
  const { found } = readTail(file, (lines) => [...firstOf(lines, LINES)])
  return found.toReversed().map((line) => {
    const { time = null, level = null, text = line } = parseLine(line) ?? {}
    return { time, level, text: redactor.text(text, MAX_LINE) }
  })
}

function* firstOf<T>(items: Iterable<T>, count: number): Generator<T> {
  let left = count
  for (const item of items) {
    if (left-- === 0) return
    yield item
  }
}
