import { quantile } from '../statistics.ts'
import type { Measure } from './measure.ts'

/** New connections, each with a byte there and back: how long one takes, and how many go in a second. */
export const connections: Measure =
  async ({ port }, { main }, { connects, connectManyMs }) =>
  async () => {
    const times = await main.ask('connect', { port, count: connects })
    const { count, seconds } = await main.ask('connectMany', { port, forMs: connectManyMs })
    return { connect: quantile(times, 0.5), connects: count / seconds }
  }
