import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

const DAY_MS = 86_400_000

/** By then whatever renews certificates should have. Those that live for days are renewed later. */
const SOON_MS = 21 * DAY_MS
const SOON_PART = 1 / 4

export const tlsExpiry: Check<WayContext> = {
  name: 'tls-expiry',
  group: 'network',
  title: 'End of that certificate',
  timeoutMs: WAY_MS,
  async run(context) {
    const { from, until } = await (await context.way()).secured()
    const left = until - Date.now()
    const days = counted(Math.floor(left / DAY_MS), 'more day')
    const seen = `Valid until ${new Date(until).toISOString().slice(0, 10)}, for ${days}`
    if (left > Math.min(SOON_MS, (until - from) * SOON_PART)) return { state: 'ok', seen }
    const fix =
      'Have it renewed by whoever runs the hub; why it was not by itself, the log there says: connect hub logs'
    return { state: 'warning', seen, fix }
  },
}
