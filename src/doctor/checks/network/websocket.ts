import type { Check } from '../../check.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

export const websocket: Check<WayContext> = {
  name: 'websocket',
  group: 'network',
  title: 'WebSocket to the hub',
  timeoutMs: WAY_MS,
  async run(context) {
    const isOpened = await (await context.way()).webSocket()
    return {
      state: 'ok',
      seen: isOpened ? 'One was opened, and closed again' : 'The request for one arrives at the hub',
    }
  },
}
