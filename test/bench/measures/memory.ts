import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Inspector } from '../processes/inspector.ts'
import { residentBytes } from '../processes/usage.ts'
import { Worker } from '../processes/worker.ts'
import type { AgentJobs } from '../programs/agents.ts'
import { quantile } from '../statistics.ts'
import type { Tunnel } from '../topologies/topology.ts'
import type { Clients, Figures } from './measure.ts'

const agentsProgram = path.join(import.meta.dirname, '..', 'programs', 'agents.ts')

/**
 * So many come before the first reading: what the first ones cost once is not what each costs. A hub in
 * Node.js is at work by then, and has loaded what compiles its functions, which is 7 MB.
 */
const WARM_UP = 300
/** The others come in steps, of which the median counts: a larger table, too, is made once for many. */
const STEPS = 5
const SETTLE_MS = 300

/**
 * What each of very many idle streams adds to the hub's resident memory. The tunnel must be new: memory that
 * was used before would be used again. A hub in Node.js collects its garbage before each reading.
 */
export async function memoryOfStreams(tunnel: Tunnel, { main }: Clients, count: number): Promise<Figures> {
  const { port } = tunnel
  await main.ask('hold', { port, count: WARM_UP })
  const streamMemory = await growth(tunnel, count, (some) => main.ask('hold', { port, count: some }))
  await main.ask('release', undefined)
  return { streamMemory }
}

/** The same for agents that are connected and expose one service each, if it is a tunnel that has any. */
export async function memoryOfAgents(tunnel: Tunnel, _clients: Clients, count: number): Promise<Figures> {
  if (!tunnel.hub) return {}
  const { url, token, env } = tunnel.hub
  const agents = new Worker<AgentJobs>(agentsProgram, env)
  try {
    await agents.ask('join', { hub: url, token, count: WARM_UP + count })
    await agents.ask('connect', { count: WARM_UP })
    return { agentMemory: await growth(tunnel, count, (some) => agents.ask('connect', { count: some })) }
  } finally {
    await agents.stop()
  }
}

/** @returns KB of the hub for each of so many that `add` brings, see STEPS */
async function growth(
  tunnel: Tunnel,
  count: number,
  add: (some: number) => Promise<unknown>,
): Promise<number> {
  const some = Math.floor(count / STEPS)
  const steps: number[] = []
  for (let before = await settledBytes(tunnel); steps.length < STEPS;) {
    await add(some)
    const after = await settledBytes(tunnel)
    steps.push((after - before) / some / 1024)
    before = after
  }
  return quantile(steps, 0.5)
}

async function settledBytes({ processes, inspectors }: Tunnel): Promise<number> {
  await sleep(SETTLE_MS)
  if (inspectors?.hub !== undefined) {
    const inspector = await Inspector.open(inspectors.hub)
    await inspector.call('HeapProfiler.collectGarbage')
    inspector.close()
    await sleep(SETTLE_MS)
  }
  return residentBytes(processes.hub)
}
