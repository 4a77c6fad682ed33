import { clockTime } from '../../../log/line.ts'
import type { LogEntry } from '../../../log/view/entries.ts'
import { times } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** So many in an hour are no accident. */
const MANY = 3

/** Of a line that others may have caused, in characters. */
const MAX_TEXT = 200

const FIX = 'See why: connect daemon logs --since 1h --level warn'

/** An agent that ends again and again, and is started again each time. */
export const crashLoop: Check<DoctorContext> = {
  name: 'crash-loop',
  group: 'daemon',
  title: 'Crashes',
  async run(context) {
    const crashes = crashesIn(await context.log())
    const [last] = crashes
    if (!last) return { state: 'ok', seen: 'None in the last hour' }
    const at = clockTime(new Date(last.at))
    const why = last.why === undefined ? '' : `, after: ${last.why.slice(0, MAX_TEXT)}`
    return {
      state: crashes.length >= MANY ? 'failed' : 'warning',
      seen: `It ended ${times(crashes.length)} in the last hour without being told to, and was last started again at ${at}${why}`,
      fix: FIX,
    }
  },
}

interface Crash {
  /** When it was started again, RFC 3339. */
  readonly at: string
  /** The last that it said of what was wrong. */
  readonly why: string | undefined
}

/**
 * Starts without a good end before them.
 *
 * @param log newest first
 */
function crashesIn(log: readonly LogEntry[]): Crash[] {
  const crashes: Crash[] = []
  let started: string | undefined
  let why: string | undefined
  for (const { time, level, text } of log) {
    if (started !== undefined && isEnd(text)) started = undefined
    if (isStart(text)) {
      if (started !== undefined) crashes.push({ at: started, why })
      started = time ?? undefined
      why = undefined
    } else if (started !== undefined && level === 'error') why ??= text
  }
  return crashes
}

const isStart = (text: string) => text.startsWith('🚀 Starting Private Connect')
const isEnd = (text: string) => /^(Stopped|Stopping: )/.test(text)
