import { Bench } from './bench.ts'
import { connections } from './measures/connections.ts'
import type { Figures, Scale } from './measures/measure.ts'
import { memoryOfAgents, memoryOfStreams } from './measures/memory.ts'
import { ping } from './measures/ping.ts'
import { eightStreamsUp, oneStreamDown, oneStreamUp } from './measures/throughput.ts'
import type { Options } from './options.ts'
import { canTellUsage } from './processes/usage.ts'
import { Results } from './results.ts'
import { connectPlain, connectTls } from './topologies/connect.ts'
import { direct } from './topologies/direct.ts'
import { nodePipe } from './topologies/node-pipe.ts'
import { openssh } from './topologies/openssh.ts'
import { socat } from './topologies/socat.ts'
import { NotThereError } from './topologies/topology.ts'

const TOPOLOGIES = [connectPlain, connectTls, nodePipe, socat, openssh, direct]
/** Not socat, whose hub is a process for each stream. */
const WITH_A_HUB = [connectPlain, connectTls, nodePipe, openssh]
const WITH_AGENTS = [connectPlain, connectTls]
const MEASURES = [oneStreamUp, oneStreamDown, eightStreamsUp, ping, connections]

const FULL: Scale = { transferMs: 1000, pingMs: 600, connects: 60, connectManyMs: 600, idle: 1000 }
const QUICK: Scale = { transferMs: 300, pingMs: 250, connects: 30, connectManyMs: 200, idle: 300 }

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
    if (canTellUsage) await measureMemory(bench, results, { count: scale.idle, say })
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
  { count, say }: { count: number; say: (line: string) => void },
): Promise<void> {
  for (const [measure, topologies] of [
    [memoryOfStreams, WITH_A_HUB],
    [memoryOfAgents, WITH_AGENTS],
  ] as const) {
    for (const topology of topologies) {
      if (results.whyMissing(topology.name) !== undefined) continue
      say(`Memory of ${topology.name} …`)
      const tunnel = await bench.start(topology, { inspect: true })
      results.add(topology.name, 0, await measure(tunnel, bench.clients, count))
      await bench.stopTunnels()
    }
  }
}
