import { clockTime } from '../../../log/line.ts'
import type { LogEntry } from '../../../log/view/entries.ts'
import { counted, sentence, times } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** So often in an hour a connection doesn't break by itself. */
const MANY = 5

/** Of a line that others may have caused, in characters. */
const MAX_TEXT = 200

/** A connection that breaks again and again costs time and CPU, and all streams that it carries. */
export const reconnectLoop: Check<DoctorContext> = {
  name: 'reconnect-loop',
  group: 'daemon',
  title: 'Connections to the hub that broke',
  async run(context) {
    const { broken, tries, last } = reconnectsIn(await context.log())
    if (tries === 0 || !last) return { state: 'ok', seen: 'None in the last hour' }
    const at = clockTime(new Date(last.time!))
    const reason = last.text.replace(/\. Reconnecting .*$/, '').slice(0, MAX_TEXT)
    const seen = `${sentence(times(broken))} in the last hour, with ${counted(tries, 'try', 'tries')} to connect, the last at ${at}: ${reason}`
    if (tries < MANY) return { state: 'ok', seen }
    return {
      state: 'warning',
      seen,
      fix: 'If the network is steady and the hub runs, a proxy or firewall cuts WebSockets on the way: have them let through. See: connect daemon logs --since 1h',
    }
  },
}

/** @param log newest first */
function reconnectsIn(log: readonly LogEntry[]): {
  readonly broken: number
  readonly tries: number
  readonly last: LogEntry | undefined
} {
  const tries = log.filter(({ text }) => /\. Reconnecting /.test(text))
  const back = log.filter(({ text }) => text.startsWith('[ok] Reconnected to hub'))
  const [last] = tries
  // One that is broken now is not back yet.
  const isBroken = last !== undefined && (back[0] === undefined || log.indexOf(last) < log.indexOf(back[0]))
  return { broken: back.length + (isBroken ? 1 : 0), tries: tries.length, last }
}
