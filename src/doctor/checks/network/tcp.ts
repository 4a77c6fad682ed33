import { peerOf } from '../../../hub-client/socket.ts'
import { isLoopback } from '../../../config/hub-url.ts'
import { ConnectError } from '../../../errors.ts'
import type { Check } from '../../check.ts'
import type { HubHereContext } from '../../hub-inspection.ts'
import { WAY_MS, type WayContext } from '../../way/way-of.ts'

type TcpContext = WayContext & Partial<Pick<HubHereContext, 'hubReport' | 'startStep'>>

export const tcp: Check<TcpContext> = {
  name: 'tcp',
  group: 'network',
  title: 'Port of the hub',
  timeoutMs: WAY_MS,
  async run(context) {
    const way = await context.way()
    const url = new URL(way.config.hub)
    try {
      await way.tcp()
    } catch (error) {
      throw withStart(error, await startOfOwn(context, url))
    }
    return { state: 'ok', seen: `Port ${peerOf(url).port} takes connections` }
  },
}

/** What starts the hub on this machine, if it is that one, and does not run. */
async function startOfOwn(
  { hubReport, startStep }: TcpContext,
  { hostname }: URL,
): Promise<string | undefined> {
  const report = isLoopback(hostname) ? await hubReport?.().catch(() => undefined) : undefined
  return report?.hub.state === 'stopped' ? (await startStep?.(report.instance))?.command : undefined
}

function withStart(error: unknown, command: string | undefined): unknown {
  if (command === undefined || !(error instanceof ConnectError)) return error
  const fix = `Start the hub on this machine: ${command}`
  return new ConnectError(error.code, error.message, { cause: error, hints: error.hints, fix })
}
