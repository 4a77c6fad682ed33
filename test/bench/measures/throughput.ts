import { canTellUsage } from '../processes/usage.ts'
import type { Transferred } from '../programs/client-transfer.ts'
import type { Tunnel } from '../topologies/topology.ts'
import type { Clients, Figures, Measure, Metric } from './measure.ts'

const CHECK_BYTES = 48 * 1024 * 1024
const LEAST_BYTES = 16 * 1024 * 1024
const PARALLEL = 8

/**
 * Gbit/s one way, by transfers that take about as long with each tunnel; the first of each is checked, byte
 * by byte.
 */
function throughput(metric: Metric, direction: 'up' | 'down', streams: number): Measure {
  return async (tunnel, clients, { transferMs }) => {
    const run = (total: number, checked: boolean) =>
      transferOver(tunnel, clients, { direction, streams, bytes: Math.ceil(total / streams), checked })
    await run(CHECK_BYTES, true)
    const { seconds } = await run(CHECK_BYTES, false)
    const total = Math.max(LEAST_BYTES, (CHECK_BYTES / seconds) * (transferMs / 1000))
    return async () => {
      const { seconds, cpu } = await run(total, false)
      const figures: Figures = { [metric]: (total * 8) / seconds / 1e9 }
      return metric === 'up' ? { ...figures, ...cpuFigures(tunnel, cpu, total) } : figures
    }
  }
}

export const oneStreamUp = throughput('up', 'up', 1)
export const oneStreamDown = throughput('down', 'down', 1)
export const eightStreamsUp = throughput('parallel', 'up', PARALLEL)

function transferOver(
  { port, processes: { hub, ends } }: Tunnel,
  { main, pids }: Clients,
  how: { direction: 'up' | 'down'; streams: number; bytes: number; checked: boolean },
): Promise<Transferred> {
  return main.ask('transfer', { ...how, port, watched: [pids, [...hub, ...ends], hub] })
}

function cpuFigures(tunnel: Tunnel, [load = 0, all = 0, hub = 0]: readonly number[], bytes: number): Figures {
  if (!canTellUsage) return {}
  const perGB = (seconds: number) => seconds / (bytes / 1e9)
  if (tunnel.processes.hub.length === 0) return { cpuLoad: perGB(load) }
  return { cpuLoad: perGB(load), cpu: perGB(all), cpuHub: perGB(hub) }
}
