import { Bench } from './bench.ts'
import { growthOfAgents } from './growth/agents.ts'
import { growthOfNames } from './growth/names.ts'
import { growthOfStreams } from './growth/streams.ts'
import { canTellUsage } from './processes/usage.ts'

const FULL = {
  streams: { rounds: 5, bytes: 8e8 },
  agents: { sizes: [10, 1000, 10_000], idleMs: 15_000, pingMs: 2000 },
  names: { rounds: 5, forMs: 1000 },
}
const QUICK = {
  streams: { rounds: 2, bytes: 2e8 },
  agents: { sizes: [10, 300, 1000], idleMs: 5000, pingMs: 500 },
  names: { rounds: 2, forMs: 400 },
}

const NOTES = `A ratio is the median of the rounds' to the smallest size of which the figure can be told; better is as good.
What is there without any is taken out: a hub with two links, twenty idle streams. "–" is what does not stand
out from how much that varies. Memory is read after the garbage was collected, but for the most while bulk lasts.
RSS is not judged: of few, much fits into pages that are there already.`

/** Prints whether very many streams, agents and names cost more each than few do. */
export async function benchGrowth({ quick }: { quick: boolean }): Promise<void> {
  if (!canTellUsage) return console.log('This system does not tell what processes use.')
  const scale = quick ? QUICK : FULL
  const bench = new Bench()
  const parts = [
    () => growthOfStreams(bench, scale.streams),
    () => growthOfAgents(bench, scale.agents),
    () => growthOfNames(bench, scale.names),
  ]
  try {
    for (const part of parts) for (const line of [...(await part()), '']) console.log(line)
    console.log(NOTES)
  } finally {
    await bench.stop()
  }
}
