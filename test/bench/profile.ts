import { setTimeout as sleep } from 'node:timers/promises'
import { formatTable } from '../../src/cli/format/table.ts'
import { Bench } from './bench.ts'
import { Inspector } from './processes/inspector.ts'
import { cpuSeconds } from './processes/usage.ts'
import { connectPlain } from './topologies/connect.ts'

/** As much as is needed here of a profile in the form of the DevTools protocol. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

const SAMPLE_EVERY_US = 200
const SHOWN = 15

/** Prints where each process of this tunnel spends its time while one stream sends all it can. */
export async function profileTunnel(options: { quick: boolean }): Promise<void> {
  const forMs = options.quick ? 1000 : 5000
  const bench = new Bench()
  try {
    const tunnel = await bench.start(connectPlain, { inspect: true })
    await bench.clients.beside.ask('load', { port: tunnel.port })
    const parts = Object.entries(tunnel.inspectors ?? {})
    const inspectors = await Promise.all(parts.map(([, url]) => Inspector.open(url)))
    for (const inspector of inspectors) {
      await inspector.call('Profiler.enable')
      await inspector.call('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US })
    }
    const all = [...tunnel.processes.hub, ...tunnel.processes.ends]
    const before = cpuSeconds(all)
    await Promise.all(inspectors.map((inspector) => inspector.call('Profiler.start')))
    await sleep(forMs)
    const taken = cpuSeconds(all) - before
    for (const [index, inspector] of inspectors.entries()) {
      const { profile } = await inspector.call<{ profile: CpuProfile }>('Profiler.stop')
      inspector.close()
      console.log(`\n${parts[index]![0]}: self time, one stream up`)
      for (const line of formatTable(topOf(profile))) console.log(line)
    }
    console.log(`\nAll processes took ${taken.toFixed(1)} s of CPU time in ${forMs / 1000} s.`)
    await bench.clients.beside.ask('release', undefined)
  } finally {
    await bench.stop()
  }
}

function topOf({ nodes, samples, timeDeltas }: CpuProfile): string[][] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const name = names.get(id)!
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0))
  }
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0)
  const sorted = [...times].toSorted(([, a], [, b]) => b - a).slice(0, SHOWN)
  return sorted.map(([name, time]) => [`${((time / total) * 100).toFixed(1)} %`, name])
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = /(?:dist|node_modules)\/(.*)$/.exec(url)?.[1] ?? url
  return `${functionName || '(anonymous)'}${file === '' ? '' : `  ${file}:${lineNumber + 1}`}`
}
