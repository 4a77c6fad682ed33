import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

/** A hotel’s login page, or another program at the hub’s address, is none. */
export const hubAnswer: Check<WayContext> = {
  name: 'hub-answer',
  group: 'network',
  title: 'Answer of the hub',
  timeoutMs: WAY_MS,
  async run(context) {
    const way = await context.way()
    const { info } = await way.answer()
    return { state: 'ok', seen: `${info.hub} answers at ${way.config.hub}` }
  },
}
