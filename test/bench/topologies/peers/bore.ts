import { answers } from '../../processes/answers.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { accepts } from '../../processes/accepts.ts'
import { programFile } from '../../processes/program-file.ts'
import { versionOf } from '../../processes/version.ts'
import { NotThereError, type Topology } from '../topology.ts'
import { startPeer } from './start-peer.ts'

/** Where its server listens, whatever it is told. */
const CONTROL_PORT = 7835

const LOOPBACK = '127.0.0.1'

/** A connection of its own for each one of the client's. */
export const bore: Topology = {
  name: 'bore, 2 hops',
  hops: 2,
  about: 'a server whose port the client takes, and a client; plain TCP',
  async start({ target, folder }) {
    const file = programFile('bore')
    if (await accepts(CONTROL_PORT)) throw new NotThereError(`port ${CONTROL_PORT} is in use`)
    const port = await freePort()
    const ports = ['--min-port', String(port), '--max-port', String(port)]
    return startPeer(folder, async (run) => {
      const server = run(file, ['server', '--bind-addr', LOOPBACK, ...ports])
      await server.waitUntil(() => accepts(CONTROL_PORT))
      const to = ['--local-host', LOOPBACK, '--to', LOOPBACK, '--port', String(port)]
      const client = run(file, ['local', String(target), ...to])
      await client.waitUntil(() => answers(port))
      return { port, version: versionOf(file), processes: { hub: [server.pid], ends: [client.pid] } }
    })
  },
}
