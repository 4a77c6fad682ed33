import { quantile } from '../statistics.ts'
import type { Measure } from './measure.ts'

/** Round trips of a byte: alone, and beside one stream that sends all it can the same way. */
export const ping: Measure =
  async ({ port }, { main, beside }, { pingMs }) =>
  async () => {
    const alone = await main.ask('ping', { port, forMs: pingMs })
    await beside.ask('load', { port })
    const busy = await main.ask('ping', { port, forMs: 2 * pingMs })
    await beside.ask('release', undefined)
    return {
      ping: quantile(alone, 0.5),
      pingP99: quantile(alone, 0.99),
      pingBusy: quantile(busy, 0.5),
      pingBusyP99: quantile(busy, 0.99),
    }
  }
