import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

/** Whether the hub still takes this machine for who it says it is. */
export const credential: Check<WayContext> = {
  name: 'credential',
  group: 'hub',
  title: 'Credential of this machine',
  timeoutMs: WAY_MS,
  async run(context) {
    const way = await context.way()
    await way.offers()
    return { state: 'ok', seen: `The hub accepts ${way.config.agentId}` }
  },
}
