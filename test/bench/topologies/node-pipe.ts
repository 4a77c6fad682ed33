import path from 'node:path'
import { Program } from '../processes/program.ts'
import { inspectEnv, inspectorOf } from './inspect.ts'
import { stopAll } from './stop-all.ts'
import type { Topology } from './topology.ts'

const hop = path.join(import.meta.dirname, '..', 'programs', 'pipe-hop.ts')

/**
 * Three processes that do nothing but `a.pipe(b)`: the least that a relay in Node.js of this shape can cost.
 */
export const nodePipe: Topology = {
  name: 'Node.js pipes',
  async start({ target, folder, inspect }) {
    const hops: Program[] = []
    let port = target
    try {
      for (let n = 0; n < 3; n++) {
        const env = inspect ? inspectEnv(process.env) : process.env
        hops.push(new Program(process.execPath, [hop, String(port)], { folder, env }))
        port = Number((await hops.at(-1)!.printed(/listening on (\d+)/))[1])
      }
      const [last, middle, first] = hops as [Program, Program, Program]
      return {
        port,
        processes: { hub: [middle.pid], ends: [first.pid, last.pid] },
        ...(inspect && { inspectors: { hub: await inspectorOf(middle) } }),
        stop: () => stopAll(hops),
      }
    } catch (error) {
      await stopAll(hops)
      throw error
    }
  },
}
