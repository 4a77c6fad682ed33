import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../helpers/cli.ts'
import { Bench } from './bench.ts'
import { describeMachine } from './machine.ts'
import { connections } from './measures/connections.ts'
import type { Figures, Scale } from './measures/measure.ts'
import { eightStreamsUp, oneStreamDown, oneStreamUp } from './measures/throughput.ts'
import type { Options } from './options.ts'
import { formatTransports, PAIRS } from './report/transports.ts'
import { Results } from './results.ts'

const MEASURES = [oneStreamUp, oneStreamDown, eightStreamsUp, connections]

const FULL: Scale = { transferMs: 2000, pingMs: 0, connects: 100, connectManyMs: 1500, loadBytes: 0, idle: 0 }
const QUICK: Scale = { ...FULL, transferMs: 400, connectManyMs: 300 }

/**
 * Prints what it costs to let ws carry the messages of links, and writes it down unless it is only a look.
 */
export async function benchTransports(
  { rounds, quick }: Pick<Options, 'rounds' | 'quick'>,
  busy: string | undefined,
): Promise<void> {
  const results = await measureTransports(rounds, quick ? QUICK : FULL)
  const report = formatTransports(results, { machine: describeMachine(), date: new Date(), rounds, busy })
  console.log(report)
  if (quick) return
  const folder = path.join(root, 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'transport.md'), report)
}

async function measureTransports(rounds: number, scale: Scale): Promise<Results> {
  const results = new Results(PAIRS.flatMap(({ ws, ours }) => [ws.name, ours.name]))
  const bench = new Bench()
  try {
    /** Of each measure and pair, what takes a turn with either. */
    const turns: { name: string; take: () => Promise<Figures> }[][] = []
    for (const { ws, ours } of PAIRS) {
      const tunnels = []
      for (const topology of [ws, ours])
        tunnels.push({ name: topology.name, tunnel: await bench.start(topology, { inspect: false }) })
      for (const prepare of MEASURES) {
        const pair = []
        for (const { name, tunnel } of tunnels)
          pair.push({ name, take: await prepare(tunnel, bench.clients, scale) })
        turns.push(pair)
      }
    }
    for (let round = 0; round < rounds; round++) {
      console.error(`Round ${round + 1} of ${rounds} …`)
      // Both right after each other, and each as often first: the machine's speed drifts.
      for (const pair of turns)
        for (const { name, take } of round % 2 === 0 ? pair : pair.toReversed())
          results.add(name, round, await take())
    }
    return results
  } finally {
    await bench.stop()
  }
}
