import { counted } from '../../../text/counted.ts'
import type { Finding, Check } from '../../check.ts'
import { setClockCommand } from '../../set-clock.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

/** What an answer may take on its way, and more. */
const APART_MS = 60_000

/** No credential hangs on a clock; the dates of certificates and of join tokens do, and what logs say. */
export const clock: Check<WayContext> = {
  name: 'clock',
  group: 'hub',
  title: 'This clock and the hub’s',
  timeoutMs: WAY_MS,
  async run(context) {
    const { aheadMs } = await (await context.way()).answered()
    return comparedTo(aheadMs)
  },
}

function comparedTo(aheadMs: number | undefined): Finding {
  if (aheadMs === undefined) return { state: 'unknown', seen: 'The hub’s answers have no date' }
  if (Math.abs(aheadMs) <= APART_MS) return { state: 'ok', seen: 'They agree' }
  const way = aheadMs > 0 ? 'ahead of' : 'behind'
  return {
    state: 'warning',
    seen: `This one is ${spanOf(Math.abs(aheadMs))} ${way} the hub’s: certificates and join tokens go by it`,
    fix: `Have this one set, unless it is the hub’s that is wrong: ${setClockCommand()}`,
  }
}

/** `7 minutes`, `3 hours`, `12 days` */
function spanOf(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return counted(minutes, 'minute')
  return minutes < 2880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1440)} days`
}
