import { answers } from '../../processes/answers.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { accepts } from '../../processes/accepts.ts'
import { programFile } from '../../processes/program-file.ts'
import { versionOf } from '../../processes/version.ts'
import type { Topology } from '../topology.ts'
import { startPeer } from './start-peer.ts'

/** SSH in a WebSocket. */
export const chisel: Topology = {
  name: 'chisel',
  hops: 3,
  about: 'a server with `--reverse`, a client with `R:…` and one with a local port; always encrypted',
  async start({ target, folder }) {
    const file = programFile('chisel')
    const [hub, middle, port] = [await freePort(), await freePort(), await freePort()]
    const url = `http://127.0.0.1:${hub}`
    return startPeer(folder, async (run) => {
      const server = run(file, ['server', '--host', '127.0.0.1', '--port', String(hub), '--reverse'])
      await server.waitUntil(() => accepts(hub))
      const expose = run(file, ['client', url, `R:127.0.0.1:${middle}:127.0.0.1:${target}`])
      await expose.waitUntil(() => answers(middle))
      const reach = run(file, ['client', url, `127.0.0.1:${port}:127.0.0.1:${middle}`])
      await reach.waitUntil(() => answers(port))
      return {
        port,
        version: versionOf(file),
        processes: { hub: [server.pid], ends: [expose.pid, reach.pid] },
      }
    })
  },
}
