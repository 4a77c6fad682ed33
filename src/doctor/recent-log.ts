import { readTail } from '../log/file/tail.ts'
import { parseLine } from '../log/line.ts'
import { entryOf, type LogEntry } from '../log/view/entries.ts'

/** How far back is looked, in ms. */
const RECENT_MS = 3_600_000

/** No more is looked through: an agent that says more in an hour repeats itself. */
const MAX_LINES = 20_000

/**
 * What a log says of the last hour.
 *
 * @returns newest first; without lines that have no time, as those of a crash report
 * @throws ConnectError LOG_UNREADABLE
 */
export function recentLog(file: string, now = Date.now()): LogEntry[] {
  return readTail(file, (lines) => {
    const entries: LogEntry[] = []
    let lookedAt = 0
    for (const line of lines) {
      if (++lookedAt > MAX_LINES) break
      const time = parseLine(line)?.time
      if (time === undefined) continue
      if (now - Date.parse(time) > RECENT_MS) break
      entries.push(entryOf(line, time))
    }
    return entries
  }).found
}
