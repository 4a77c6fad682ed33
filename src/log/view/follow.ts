import { setTimeout as sleep } from 'node:timers/promises'
import { LogFollower, type LogEvent } from '../file/follower.ts'
import { readTail } from '../file/tail.ts'
import { entryOf } from './entries.ts'
import { isWanted, selectLines, type LogFilter, type LogLine } from './select.ts'

const LOOK_EVERY_MS = 200

/** Why lines are missing, as told to whoever follows the log. */
const MISSING = {
  rotated: '[!] Some lines were lost: the log was rotated faster than it was read',
  emptied: '[!] The log was emptied: lines that were not shown yet are gone',
}

export interface FollowOptions {
  readonly filter: LogFilter
  /** Called once no line that is written from now on can be missed. */
  readonly onStart: () => Promise<void>
  readonly print: (lines: readonly LogLine[]) => Promise<void>
  readonly warn: (line: string) => void
}

/** Prints the lines that are there, then each one that comes, until the signal says stop. */
export async function followLog(file: string, options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { filter, onStart, print, warn } = options
  const { found, end } = readTail(file, (lines) => selectLines(lines, filter), { wholeLines: true })
  const follower = new LogFollower(file, end)
  let { lastTime } = found
  const tell = async (news: LogEvent) => {
    if ('missing' in news) return warn(MISSING[news.missing])
    const lines = news.lines.map((line) => {
      const entry = entryOf(line, lastTime)
      lastTime = entry.time
      return { line, entry }
    })
    await print(lines.filter(({ entry }) => isWanted(entry, filter)))
  }
  try {
    await onStart()
    await print(found.lines)
    while (!signal.aborted) {
      for (const news of follower.look()) {
        await tell(news)
        if (signal.aborted) return
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    }
  } finally {
    follower.close()
  }
}
