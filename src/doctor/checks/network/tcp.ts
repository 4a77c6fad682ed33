import { peerOf } from '../../../hub-client/socket.ts'
import type { Check } from '../../check.ts'
import { told } from '../../told.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

export const tcp: Check<WayContext> = {
  name: 'tcp',
  group: 'network',
  title: 'Port of the hub',
  timeoutMs: WAY_MS,
  run: (context) =>
    told(async () => {
      const way = await context.way()
      await way.tcp()
      return { state: 'ok', seen: `Port ${peerOf(new URL(way.config.hub)).port} takes connections` }
    }),
}
