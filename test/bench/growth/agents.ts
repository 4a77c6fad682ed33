import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectionLimit } from '../../../src/runtime/descriptor-limit.ts'
import type { Bench } from '../bench.ts'
import { Inspector } from '../processes/inspector.ts'
import { Worker } from '../processes/worker.ts'
import type { AgentJobs } from '../programs/agents.ts'
import { formatGrowth, perUnit } from '../report/growth.ts'
import { quantile } from '../statistics.ts'
import { connectPlain } from '../topologies/connect.ts'
import type { Tunnel } from '../topologies/topology.ts'
import { GrowthFigures } from './figures.ts'
import { settledMemory, type Memory } from './parts.ts'

const agentsProgram = path.join(import.meta.dirname, '..', 'programs', 'agents.ts')

/** So many come and go first, so that the hub's code is as warm for the few as for the many. */
const WARM_UP = 300
/** So many join and connect beside those that are there, to see how long it takes. */
const MORE = 500
const FLOOR_READINGS = 3
/** By then the hub has dealt with what came and went. */
const SETTLE_MS = 3000

export interface AgentScale {
  readonly sizes: readonly number[]
  /** How long the hub's idle time is looked at. In 15 s each link has its heartbeat. */
  readonly idleMs: number
  readonly pingMs: number
}

/** What a hub has to do for agents that do nothing, and how long others wait for it meanwhile. */
export async function growthOfAgents(bench: Bench, scale: AgentScale): Promise<string[]> {
  const { idleMs, pingMs } = scale
  // Hub and agents are one process each, with the same limit as this one.
  const most = connectionLimit() - MORE
  const sizes = scale.sizes.filter((size) => size <= most)
  if (sizes.length < scale.sizes.length) console.log(`"ulimit -n" leaves room for ${most} agents only.`)
  const figures = new GrowthFigures()
  const tunnel = await bench.start(connectPlain, { inspect: true })
  const { url: hub, token } = tunnel.hub!
  const { port } = tunnel
  await comeAndGo(hub, token)
  await bench.clients.main.ask('connectMany', { port, forMs: pingMs })
  await sleep(SETTLE_MS)
  const hubItself = await Inspector.open(tunnel.inspectors!.hub!)
  const read = (forMs: number) => readHub(tunnel, hubItself, forMs)
  const floors: Reading[] = []
  for (let n = 0; n < FLOOR_READINGS; n++) floors.push(await read(idleMs / FLOOR_READINGS))
  const agents = new Worker<AgentJobs>(agentsProgram)
  try {
    let there = 0
    for (const size of sizes) {
      await agents.ask('join', { hub, token, count: size - there })
      await agents.ask('connect', { count: size - there })
      const add = (
        title: string,
        unit: string,
        digits: number,
        figure: number | undefined,
        better?: 'more' | 'less',
      ) => figures.add({ title, unit, digits, ...(better && { better }) }, size, figure)
      const { cpu, heap, resident } = await read(idleMs)
      const of = (key: keyof Reading) => floors.map((floor) => floor[key])
      add('idle, the hub’s CPU for an agent', 'µs/s', 2, micro(perUnit(cpu, of('cpu'), size)), 'less')
      add('idle, the hub’s CPU for all', 'ms/s', 2, cpu * 1000)
      add('idle, the hub’s heap for an agent', 'KB', 1, kilo(perUnit(heap, of('heap'), size)), 'less')
      add('idle, the hub’s RSS for an agent', 'KB', 1, kilo(perUnit(resident, of('resident'), size)))
      const pings = await bench.clients.main.ask('ping', { port, forMs: pingMs })
      add('ping beside them, p50', 'ms', 2, quantile(pings, 0.5), 'less')
      add('ping beside them, p99', 'ms', 2, quantile(pings, 0.99))
      for (const job of ['join', 'connect'] as const) {
        const before = { at: performance.now(), cpu: await cpuSecondsOf(hubItself) }
        await (job === 'join'
          ? agents.ask(job, { hub, token, count: MORE })
          : agents.ask(job, { count: MORE }))
        const what = job === 'join' ? 'joins' : 'links'
        const seconds = (performance.now() - before.at) / 1000
        add(`${what} a second`, '1/s', 0, MORE / seconds, 'more')
        // Beyond what those that are there take meanwhile, which is told above.
        const taken = (await cpuSecondsOf(hubItself)) - before.cpu - cpu * seconds
        add(`the hub’s CPU for one of these ${what}`, 'ms', 2, (taken / MORE) * 1000, 'less')
      }
      there = size + MORE
    }
  } finally {
    await agents.stop()
    hubItself.close()
    await bench.stopTunnels()
  }
  return formatGrowth('agents that do nothing', sizes, figures.all)
}

interface Reading extends Memory {
  /** Seconds of CPU time in a second. */
  readonly cpu: number
}

async function readHub(tunnel: Tunnel, hub: Inspector, forMs: number): Promise<Reading> {
  const { heap, resident } = (await settledMemory(tunnel)).hub!
  const before = { at: performance.now(), cpu: await cpuSecondsOf(hub) }
  await sleep(forMs)
  const cpu = (await cpuSecondsOf(hub)) - before.cpu
  return { cpu: cpu / ((performance.now() - before.at) / 1000), heap, resident }
}

/** Exactly, and of threads that have ended, too: the one of its database comes and goes. */
function cpuSecondsOf(process: Inspector): Promise<number> {
  return process.evaluate('(({ user, system }) => (user + system) / 1e6)(process.cpuUsage())')
}

async function comeAndGo(hub: string, token: string): Promise<void> {
  const agents = new Worker<AgentJobs>(agentsProgram)
  await agents.ask('join', { hub, token, count: WARM_UP })
  await agents.ask('connect', { count: WARM_UP })
  await agents.stop()
}

const micro = (seconds: number | undefined) => seconds && seconds * 1e6
const kilo = (bytes: number | undefined) => bytes && bytes / 1024
