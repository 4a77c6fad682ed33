import path from 'node:path'
import type { Program } from '../processes/program.ts'
import { inspectEnv, inspectorOf } from './inspect.ts'
import { startPrograms } from './start-programs.ts'
import type { Topology } from './topology.ts'

const hop = path.join(import.meta.dirname, '..', 'programs', 'pipe-hop.ts')

/**
 * Three processes that do nothing but `a.pipe(b)`: the least that a relay in Node.js of this shape can cost.
 */
export const nodePipe: Topology = {
  name: 'Node.js pipes',
  hops: 3,
  about: 'three in a row that do nothing but `a.pipe(b)`',
  start: ({ target, folder, inspect }) =>
    startPrograms(folder, async (run) => {
      const hops: Program[] = []
      let port = target
      for (let n = 0; n < 3; n++) {
        const env = inspect ? inspectEnv(process.env) : process.env
        hops.push(run(process.execPath, [hop, String(port)], env))
        port = Number((await hops.at(-1)!.printed(/listening on (\d+)/))[1])
      }
      const [last, middle, first] = hops as [Program, Program, Program]
      return {
        port,
        version: process.versions.node,
        processes: { hub: [middle.pid], ends: [first.pid, last.pid] },
        ...(inspect && { inspectors: { hub: await inspectorOf(middle) } }),
      }
    }),
}
