import { freePort, accepts } from '../processes/free-port.ts'
import { programFile } from '../processes/program-file.ts'
import { Program } from '../processes/program.ts'
import { stopAll } from './stop-all.ts'
import type { Topology } from './topology.ts'

/** Three socats, which fork a process for each connection. */
export const socat: Topology = {
  name: 'socat',
  async start({ target, folder }) {
    const file = programFile('socat')
    const hops: Program[] = []
    let port = target
    try {
      for (let n = 0; n < 3; n++) {
        const listen = await freePort()
        const from = `TCP-LISTEN:${listen},bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=512`
        hops.push(new Program(file, ['-b', '65536', from, `TCP:127.0.0.1:${port},nodelay`], { folder }))
        await hops.at(-1)!.waitUntil(() => accepts(listen))
        port = listen
      }
      const [last, middle, first] = hops as [Program, Program, Program]
      return {
        port,
        processes: { hub: [middle.pid], ends: [first.pid, last.pid] },
        stop: () => stopAll(hops),
      }
    } catch (error) {
      await stopAll(hops)
      throw error
    }
  },
}
