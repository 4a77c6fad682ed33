import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { forgetPeak, peakBytes, residentBytes } from '../processes/usage.ts'
import { connectPlain } from '../topologies/connect.ts'
import type { Tunnel } from '../topologies/topology.ts'
import { formatGrowth, perUnit } from '../report/growth.ts'
import { GrowthFigures } from './figures.ts'
import { partsOf, settledMemory, type Memory } from './parts.ts'

const STREAMS = [1, 8, 64, 512]
const DIRECTIONS = ['up', 'down'] as const
const MB = 2 ** 20
const WARM_UP_BYTES = 2e8
const SETTLE_MS = 500
const WARM_UP_STREAMS = 20
const FLOOR_READINGS = 3

/** Bulk over one stream, and over very many at once; then what each takes that only stays. */
export async function growthOfStreams(bench: Bench, { rounds, bytes }: { rounds: number; bytes: number }) {
  const figures = new GrowthFigures()
  const tunnel = await bench.start(connectPlain, { inspect: false })
  const idle = new Map(Object.entries(partsOf(tunnel)).map(([part, pid]) => [part, residentBytes([pid])]))
  for (const direction of DIRECTIONS) await transfer(bench, tunnel, direction, 8, WARM_UP_BYTES)
  for (let round = 0; round < rounds; round++)
    for (const direction of DIRECTIONS)
      for (const streams of STREAMS)
        await bulk(bench, tunnel, { round, direction, streams, bytes }, figures, idle)
  await bench.stopTunnels()
  await idleStreams(bench, figures)
  return formatGrowth('streams at once', STREAMS, figures.all)
}

interface Bulk {
  readonly round: number
  readonly direction: 'up' | 'down'
  readonly streams: number
  /** On all streams together. */
  readonly bytes: number
}

async function bulk(
  bench: Bench,
  tunnel: Tunnel,
  { round, direction, streams, bytes }: Bulk,
  figures: GrowthFigures,
  idle: ReadonlyMap<string, number>,
): Promise<void> {
  const parts = Object.entries(partsOf(tunnel))
  for (const [, pid] of parts) forgetPeak(pid)
  const { seconds, cpu } = await transfer(bench, tunnel, direction, streams, bytes)
  const speed = { title: `throughput ${direction}`, unit: 'Gbit/s', digits: 2, better: 'more' } as const
  figures.add(speed, streams, (bytes * 8) / seconds / 1e9)
  for (const [index, [part, pid]] of parts.entries()) {
    const title = `CPU ${direction}, ${part}`
    figures.add({ title, unit: 's/GB', digits: 3, better: 'less' }, streams, cpu[index]! / (bytes / 1e9))
    // What one load has left behind, the next has no need to ask for.
    if (direction === 'down' || round > 0) continue
    const more = (peakBytes(pid) - idle.get(part)!) / MB
    figures.add({ title: `most memory up, ${part}`, unit: 'MB', digits: 0 }, streams, more)
  }
  const title = `CPU ${direction}, client and target`
  figures.add({ title, unit: 's/GB', digits: 3 }, streams, cpu.at(-1)! / (bytes / 1e9))
}

/** @returns the CPU seconds of each part, then of client and target, from when all streams are open */
async function transfer(
  bench: Bench,
  tunnel: Tunnel,
  direction: 'up' | 'down',
  streams: number,
  bytes: number,
) {
  const { main, pids } = bench.clients
  const watched = [...Object.values(partsOf(tunnel)).map((pid) => [pid]), pids]
  const how = { direction, streams, bytes: Math.ceil(bytes / streams), checked: false, watched, exact: true }
  const transferred = await main.ask('transfer', { ...how, port: tunnel.port })
  await sleep(SETTLE_MS)
  return transferred
}

/** Streams that were used once, and stay. */
async function idleStreams(bench: Bench, figures: GrowthFigures): Promise<void> {
  const tunnel = await bench.start(connectPlain, { inspect: true })
  const { main } = bench.clients
  const { port } = tunnel
  await main.ask('hold', { port, count: WARM_UP_STREAMS })
  const floors: Record<string, Memory>[] = []
  for (let n = 0; n < FLOOR_READINGS; n++) floors.push(await settledMemory(tunnel))
  let held = 0
  for (const streams of STREAMS) {
    await main.ask('hold', { port, count: streams - held })
    held = streams
    for (const [part, { heap, resident }] of Object.entries(await settledMemory(tunnel))) {
      const add = (what: string, bytes: number, key: keyof Memory) => {
        const each = perUnit(
          bytes,
          floors.map((floor) => floor[part]![key]),
          streams,
        )
        const about = { title: `${what} of a stream that stays, ${part}`, unit: 'KB', digits: 1 }
        figures.add({ ...about, ...(key === 'heap' && { better: 'less' }) }, streams, each && each / 1024)
      }
      add('heap', heap, 'heap')
      add('RSS', resident, 'resident')
    }
  }
  await main.ask('release', undefined)
  await bench.stopTunnels()
}
