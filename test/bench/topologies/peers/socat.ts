import { freePort } from '../../../helpers/free-port.ts'
import { accepts } from '../../processes/accepts.ts'
import { programFile } from '../../processes/program-file.ts'
import type { Program } from '../../processes/program.ts'
import { versionOf } from '../../processes/version.ts'
import type { Topology } from '../topology.ts'
import { startPeer } from './start-peer.ts'

/** Three socats, which fork a process for each connection. */
export const socat: Topology = {
  name: 'socat',
  hops: 3,
  about: 'three in a row, which fork a process for each connection',
  async start({ target, folder }) {
    const file = programFile('socat')
    return startPeer(folder, async (run) => {
      const hops: Program[] = []
      let port = target
      for (let n = 0; n < 3; n++) {
        const listen = await freePort()
        const from = `TCP-LISTEN:${listen},bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=512`
        hops.push(run(file, ['-b', '65536', from, `TCP:127.0.0.1:${port},nodelay`]))
        await hops.at(-1)!.waitUntil(() => accepts(listen))
        port = listen
      }
      const [last, middle, first] = hops as [Program, Program, Program]
      return {
        port,
        version: versionOf(file, ['-V']),
        processes: { hub: [middle.pid], ends: [first.pid, last.pid] },
      }
    })
  },
}
