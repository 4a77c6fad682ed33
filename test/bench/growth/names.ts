import path from 'node:path'
import { MAX_SERVICES } from '../../../src/config/services.ts'
import type { Bench } from '../bench.ts'
import { exactCpuSeconds } from '../processes/usage.ts'
import { Worker } from '../processes/worker.ts'
import type { AgentJobs } from '../programs/agents.ts'
import { formatGrowth } from '../report/growth.ts'
import { connectPlain } from '../topologies/connect.ts'
import { GrowthFigures } from './figures.ts'
import { partsOf } from './parts.ts'

const NAMES = [10, 100, 1000, 10_000]
/** Until then the code of all three is as warm as it gets. */
const WARM_UPS = 4
const agentsProgram = path.join(import.meta.dirname, '..', 'programs', 'agents.ts')

/** New connections to one service, while other agents offer more and more names. */
export async function growthOfNames(bench: Bench, { rounds, forMs }: { rounds: number; forMs: number }) {
  const figures = new GrowthFigures()
  const tunnel = await bench.start(connectPlain, { inspect: false })
  const { url: hub, token } = tunnel.hub!
  const parts = Object.entries(partsOf(tunnel))
  const agents = new Worker<AgentJobs>(agentsProgram)
  try {
    const count = Math.ceil(Math.max(...NAMES) / MAX_SERVICES)
    await agents.ask('join', { hub, token, count })
    await agents.ask('connect', { count })
    const connect = () => bench.clients.main.ask('connectMany', { port: tunnel.port, forMs })
    for (let n = 0; n < WARM_UPS; n++) await connect()
    for (let round = 0; round < rounds; round++)
      for (const names of NAMES) {
        await agents.ask('offer', { names })
        const before = parts.map(([, pid]) => exactCpuSeconds([pid]))
        const { count: made, seconds } = await connect()
        const speed = { title: 'connections a second', unit: '1/s', digits: 0, better: 'more' } as const
        figures.add(speed, names, made / seconds)
        for (const [index, [part, pid]] of parts.entries()) {
          const taken = exactCpuSeconds([pid]) - before[index]!
          const cpu = { title: `CPU a connection, ${part}`, unit: 'ms', digits: 3, better: 'less' } as const
          figures.add(cpu, names, (taken / made) * 1000)
        }
      }
  } finally {
    await agents.stop()
    await bench.stopTunnels()
  }
  return formatGrowth('names in the workspace', NAMES, figures.all)
}
