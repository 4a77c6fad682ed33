import { Bench } from './bench.ts'
import { connections } from './measures/connections.ts'
import type { Figures, Scale } from './measures/measure.ts'
import { footprint } from './measures/footprint.ts'
import { memoryOfAgents, memoryOfStreams } from './measures/memory.ts'
import { ping } from './measures/ping.ts'
import { eightStreamsUp, oneStreamDown, oneStreamUp } from './measures/throughput.ts'
import type { Options } from './options.ts'
import { canTellUsage } from './processes/usage.ts'
import { Results } from './results.ts'
import { TOPOLOGIES } from './topologies/all.ts'
import { connectPlain, connectTls } from './topologies/connect.ts'
import { direct } from './topologies/direct.ts'
import { nodePipe } from './topologies/node-pipe.ts'
import { openssh } from './topologies/peers/openssh.ts'
import { NotThereError, type Topology, type Tunnel } from './topologies/topology.ts'

const WITH_PROCESSES = TOPOLOGIES.filter((topology) => topology !== direct)
/** Not socat, whose hub is a process for each stream. */
const WITH_A_HUB = [connectPlain, connectTls, nodePipe, openssh]
const WITH_AGENTS = [connectPlain, connectTls]
const MEASURES = [oneStreamUp, oneStreamDown, eightStreamsUp, ping, connections]

const FULL: Scale = {
  transferMs: 1000,
  pingMs: 600,
  connects: 60,
  connectManyMs: 1000,
  loadBytes: 5e8,
  idle: 1000,
}
const QUICK: Scale = {
  transferMs: 300,
  pingMs: 250,
  connects: 30,
  connectManyMs: 300,
  loadBytes: 1e8,
  idle: 300,
}

/** Measures all tunnels in turns (A B C A B C …), then the memory of each hub by itself. */
export async function measureTunnels(
  { rounds, quick }: Pick<Options, 'rounds' | 'quick'>,
  say: (line: string) => void,
): Promise<Results> {
  const scale = quick ? QUICK : FULL
  const results = new Results(TOPOLOGIES.map(({ name }) => name))
  const bench = new Bench()
  try {
    await measureSpeed(bench, results, { scale, rounds, say })
    await bench.stopTunnels()
    if (canTellUsage) await measureMemory(bench, results, { scale, say })
    return results
  } finally {
    await bench.stop()
  }
}

async function measureSpeed(
  bench: Bench,
  results: Results,
  { scale, rounds, say }: { scale: Scale; rounds: number; say: (line: string) => void },
): Promise<void> {
  const turns: { name: string; take: () => Promise<Figures> }[][] = MEASURES.map(() => [])
  for (const topology of TOPOLOGIES) {
    const { name } = topology
    say(`Starting ${name} …`)
    try {
      const tunnel = await bench.start(topology, { inspect: false })
      if (tunnel.version !== undefined) results.versions.set(name, tunnel.version)
      for (const [index, prepare] of MEASURES.entries())
        turns[index]!.push({ name, take: await prepare(tunnel, bench.clients, scale) })
    } catch (error) {
      if (!(error instanceof NotThereError)) throw error
      say(`  Not there: ${error.message}`)
      results.setMissing(name, error.message)
    }
  }
  for (let round = 0; round < rounds; round++) {
    say(`Round ${round + 1} of ${rounds} …`)
    for (const { name, take } of turns.flat()) results.add(name, round, await take())
  }
}

async function measureMemory(
  bench: Bench,
  results: Results,
  { scale, say }: { scale: Scale; say: (line: string) => void },
): Promise<void> {
  const { clients } = bench
  const take = async (
    topologies: readonly Topology[],
    inspect: boolean,
    measure: (tunnel: Tunnel) => Promise<Figures>,
  ) => {
    for (const topology of topologies) {
      if (results.whyMissing(topology.name) !== undefined) continue
      say(`Memory of ${topology.name} …`)
      results.add(topology.name, 0, await measure(await bench.start(topology, { inspect })))
      await bench.stopTunnels()
    }
  }
  await take(WITH_PROCESSES, false, (tunnel) => footprint(tunnel, clients, scale))
  await take(WITH_A_HUB, true, (tunnel) => memoryOfStreams(tunnel, clients, scale.idle))
  await take(WITH_AGENTS, true, (tunnel) => memoryOfAgents(tunnel, clients, scale.idle))
}
