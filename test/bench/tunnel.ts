import { messageOf } from '../../src/errors.ts'
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
import { OURS } from './topologies/connect.ts'
import { direct } from './topologies/direct.ts'
import { nodePipe } from './topologies/node-pipe.ts'
import { openssh } from './topologies/peers/openssh.ts'
import { NotThereError, type Topology, type Tunnel } from './topologies/topology.ts'

const WITH_PROCESSES = TOPOLOGIES.filter((topology) => topology !== direct)
/** Not socat, whose hub is a process for each stream. */
const WITH_A_HUB = [...OURS, nodePipe, openssh]
const MEASURES = [oneStreamUp, oneStreamDown, eightStreamsUp, ping, connections]

/**
 * Of the streams that a link may have, one agent gets three quarters (SHARE_OF_FREE); WARM_UP come before
 * these, and some are left.
 */
const MOST_STREAMS = 450

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

interface Context {
  readonly scale: Scale
  readonly say: (line: string) => void
}

async function measureSpeed(
  bench: Bench,
  results: Results,
  { rounds, ...context }: Context & { rounds: number },
): Promise<void> {
  const turns: { topology: Topology; take: () => Promise<Figures> }[][] = MEASURES.map(() => [])
  for (const topology of TOPOLOGIES) {
    context.say(`Starting ${topology.name} …`)
    await attempt(topology, results, context, async () => {
      const tunnel = await bench.start(topology, { inspect: false })
      if (tunnel.version !== undefined) results.versions.set(topology.name, tunnel.version)
      for (const [index, prepare] of MEASURES.entries())
        turns[index]!.push({ topology, take: await prepare(tunnel, bench.clients, context.scale) })
    })
  }
  for (let round = 0; round < rounds; round++) {
    context.say(`Round ${round + 1} of ${rounds} …`)
    for (const { topology, take } of turns.flat())
      await attempt(topology, results, context, async () => results.add(topology.name, round, await take()))
  }
}

async function measureMemory(bench: Bench, results: Results, context: Context): Promise<void> {
  const { clients } = bench
  const { scale } = context
  const take = async (
    topologies: readonly Topology[],
    inspect: boolean,
    measure: (tunnel: Tunnel) => Promise<Figures>,
  ) => {
    for (const topology of topologies) {
      await attempt(topology, results, context, async () => {
        context.say(`Memory of ${topology.name} …`)
        results.add(topology.name, 0, await measure(await bench.start(topology, { inspect })))
      })
      await bench.stopTunnels()
    }
  }
  await take(WITH_PROCESSES, false, (tunnel) => footprint(tunnel, clients, scale))
  const streams = Math.min(scale.idle, MOST_STREAMS)
  await take(WITH_A_HUB, true, (tunnel) => memoryOfStreams(tunnel, clients, streams))
  await take(OURS, true, (tunnel) => memoryOfAgents(tunnel, clients, scale.idle))
}

/** Does something with a tunnel. If it is one of others, and fails, it is left out from then on. */
async function attempt(
  topology: Topology,
  results: Results,
  { say }: Context,
  act: () => Promise<void>,
): Promise<void> {
  if (results.whyMissing(topology.name) !== undefined) return
  try {
    await act()
  } catch (error) {
    if (OURS.includes(topology) && !(error instanceof NotThereError)) throw error
    say(`  Not there: ${messageOf(error)}`)
    results.setMissing(topology.name, messageOf(error))
  }
}
