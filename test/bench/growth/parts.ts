import { setTimeout as sleep } from 'node:timers/promises'
import { Inspector } from '../processes/inspector.ts'
import { residentBytes } from '../processes/usage.ts'
import type { Tunnel } from '../topologies/topology.ts'

const SETTLE_MS = 300
const READINGS = 2

/** The processes of this tunnel by what they are. */
export function partsOf({ processes: { hub, ends } }: Tunnel): Record<string, number> {
  return { hub: hub[0]!, agent: ends[0]!, reach: ends[1]! }
}

export interface Memory {
  /** What is in use of V8's heap, and outside of it for its objects. */
  readonly heap: number
  readonly resident: number
}

/** The memory of a tunnel’s processes, once their garbage is collected. It must be started with `inspect`. */
export async function settledMemory(tunnel: Tunnel): Promise<Record<string, Memory>> {
  const pids = Object.values(partsOf(tunnel))
  const read = async ([name, url]: [string, string], index: number) => {
    const inspector = await Inspector.open(url)
    for (let reading = 0; reading < READINGS; reading++) {
      await inspector.call('HeapProfiler.collectGarbage')
      await sleep(SETTLE_MS)
    }
    const heap = await inspector.evaluate<number>(
      '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())',
    )
    inspector.close()
    return [name === 'expose' ? 'agent' : name, { heap, resident: residentBytes([pids[index]!]) }] as const
  }
  return Object.fromEntries(await Promise.all(Object.entries(tunnel.inspectors!).map(read)))
}
