import { randomBytes } from 'node:crypto'
import { formatTable } from '../../src/cli/format/table.ts'
import { Bench } from './bench.ts'
import { Inspector } from './processes/inspector.ts'
import { installTraceHook, type Seen } from './processes/trace-hook.ts'
import type { Traced } from './programs/client.ts'
import { quantile } from './statistics.ts'
import { connectPlain, connectTls } from './topologies/connect.ts'
import type { Topology } from './topologies/topology.ts'

/** The processes on a ping's way to the target. */
const THERE = ['reach', 'hub', 'expose'] as const

/** A part of the way: within a process, or from when one hands the ping on until the next has read it. */
interface Step {
  readonly title: string
  readonly ms: number
  /** Bytes that were on their way to the next process when the ping was handed on. */
  readonly ahead?: number
}

const MARKER_BYTES = 8

/**
 * Prints how long a ping waits in each process and between them, alone and beside a stream that sends all it
 * can the same way.
 */
export async function traceTunnel({ quick }: { quick: boolean }): Promise<void> {
  for (const topology of [connectPlain, connectTls]) await trace(topology, quick ? 1000 : 5000)
}

async function trace(topology: Topology, forMs: number): Promise<void> {
  const bench = new Bench()
  const marker = randomBytes(MARKER_BYTES).toString('hex')
  try {
    const { port, inspectors = {} } = await bench.start(topology, { inspect: true })
    const hooked: [string, Inspector][] = []
    for (const [name, url] of Object.entries(inspectors)) {
      const inspector = await Inspector.open(url)
      await inspector.evaluate(`(${installTraceHook.toString()})('${marker}')`)
      hooked.push([name, inspector])
    }
    const { main, beside } = bench.clients
    const ways = async (first: number) => {
      const pings = await main.ask('trace', { port, forMs, marker, first })
      const seen = new Map<string, Seen[]>()
      for (const [name, inspector] of hooked)
        seen.set(name, await inspector.evaluate<Seen[]>('benchSeen.splice(0)'))
      return pings.flatMap((ping) => {
        const steps = stepsOf(ping, seen)
        return steps ? [steps] : []
      })
    }
    const alone = await ways(0)
    await beside.ask('load', { port })
    const busy = await ways(2 ** 31)
    await beside.ask('release', undefined)
    for (const [, inspector] of hooked) inspector.close()
    print(topology.name, alone, busy)
  } finally {
    await bench.stop()
  }
}

/** @returns undefined if the ping was not seen everywhere: it may have straddled two reads */
function stepsOf(
  { ping, sent, received }: Traced,
  seen: ReadonlyMap<string, readonly Seen[]>,
): Step[] | undefined {
  const steps: Step[] = []
  let left = { name: 'client', ms: sent }
  for (const [index, name] of [...THERE, ...THERE.toReversed()].entries()) {
    const back = index >= THERE.length
    const passes = seen.get(name)!.filter((each) => each.ping === ping)
    const [read, written] = back ? passes.slice(-2) : passes.slice(0, 2)
    if (passes.length !== 4 || read?.at !== 'in' || written?.at !== 'out') return undefined
    const from = left
    const upTo = read.reads.findLast(([ms]) => ms <= from.ms)?.[1]
    // At the way's end the target has answered meanwhile: these are not the bytes that it waited behind.
    const isTarget = from.name === name
    steps.push({
      title: isTarget ? `${name} → target → ${name}` : `${from.name} → ${name}`,
      ms: read.ms - from.ms,
      ...(upTo !== undefined && !isTarget && { ahead: read.offset - upTo }),
    })
    steps.push({ title: `in ${name}`, ms: written.ms - read.ms })
    left = { name, ms: written.ms }
  }
  steps.push({ title: `${left.name} → client`, ms: received - left.ms })
  return [...steps, { title: 'all of it', ms: received - sent }]
}

function print(name: string, alone: readonly Step[][], busy: readonly Step[][]): void {
  console.log(`\n${name}: the way of a ping, in ms, of ${alone.length} alone and ${busy.length} beside bulk`)
  if (alone.length === 0 || busy.length === 0) return
  const rows = busy[0]!.map(({ title }, index) => {
    const times = (ways: readonly Step[][]) => ways.map((steps) => steps[index]!.ms)
    const ahead = busy.flatMap((steps) => steps[index]!.ahead ?? [])
    return [
      title,
      quantile(times(alone), 0.5).toFixed(3),
      ...[0.5, 0.9, 0.99].map((share) => quantile(times(busy), share).toFixed(3)),
      ahead.length > 0 ? (quantile(ahead, 0.5) / 1024).toFixed(1) : '',
    ]
  })
  const head = ['', 'alone p50', 'beside bulk p50', 'p90', 'p99', 'KB before it, p50']
  for (const line of formatTable([head, ...rows])) console.log(line)
}
