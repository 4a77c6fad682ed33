import { setTimeout as sleep } from 'node:timers/promises'
import { proportionalBytes, residentBytes } from '../processes/usage.ts'
import type { Tunnel } from '../topologies/topology.ts'
import type { Clients, Figures, Scale } from './measure.ts'

const MB = 2 ** 20
const STREAMS = 8
const SETTLE_MS = 2000

/**
 * The memory of all processes of a tunnel: before anything went through it, and soon after bulk both ways and
 * many connections. It must be new, and the only one: PSS shares out what others have loaded too.
 */
export async function footprint(tunnel: Tunnel, { main }: Clients, scale: Scale): Promise<Figures> {
  const { port, processes } = tunnel
  const all = [...processes.hub, ...processes.ends]
  await sleep(SETTLE_MS)
  const idle = { memoryIdle: residentBytes(all) / MB, memoryIdlePss: proportionalBytes(all) / MB }
  for (const direction of ['up', 'down'] as const) {
    const bytes = Math.ceil(scale.loadBytes / STREAMS)
    await main.ask('transfer', { port, direction, streams: STREAMS, bytes, checked: false, watched: [] })
  }
  await main.ask('connectMany', { port, forMs: scale.connectManyMs })
  await sleep(SETTLE_MS)
  return { ...idle, memoryLoaded: residentBytes(all) / MB, memoryLoadedPss: proportionalBytes(all) / MB }
}
