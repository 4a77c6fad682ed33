import { peerOf } from '../../../hub-client/socket.ts'
import { isLoopback } from '../../../config/hub-url.ts'
import { ConnectError } from '../../../errors.ts'
import type { Check } from '../../check.ts'
import type { HubHereContext } from '../../hub-inspection.ts'
import { told } from '../../told.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

type TcpContext = WayContext & Partial<Pick<HubHereContext, 'hubReport'>>

export const tcp: Check<TcpContext> = {
  name: 'tcp',
  group: 'network',
  title: 'Port of the hub',
  timeoutMs: WAY_MS,
  run: (context) =>
    told(async () => {
      const way = await context.way()
      const url = new URL(way.config.hub)
      try {
        await way.tcp()
      } catch (error) {
        throw (await isOwnStopped(context, url)) ? withoutOwn(error) : error
      }
      return { state: 'ok', seen: `Port ${peerOf(url).port} takes connections` }
    }),
}

/** Whether it is the hub on this machine, which does not run: another check has what starts it. */
async function isOwnStopped({ hubReport }: TcpContext, { hostname }: URL): Promise<boolean> {
  return isLoopback(hostname) && (await hubReport?.().catch(() => undefined))?.hub.state === 'stopped'
}

function withoutOwn(error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error
  const hints = ['It is the hub on this machine: see below what starts it']
  return new ConnectError(error.code, error.message, { cause: error, hints })
}
