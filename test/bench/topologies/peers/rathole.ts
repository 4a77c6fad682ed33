import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { answers } from '../../processes/answers.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { accepts } from '../../processes/accepts.ts'
import { programFile } from '../../processes/program-file.ts'
import { versionOf } from '../../processes/version.ts'
import type { Topology } from '../topology.ts'
import { startPeer } from './start-peer.ts'

/** A connection of its own for each one of the client's, from a pool. */
export const rathole: Topology = {
  name: 'rathole, 2 hops',
  hops: 2,
  about: 'a server whose port the client takes, and a client; plain TCP',
  async start({ target, folder }) {
    const file = programFile('rathole')
    const [hub, port] = [await freePort(), await freePort()]
    const write = (name: string, ...lines: readonly string[]) => {
      const config = path.join(folder, `${name}.toml`)
      writeFileSync(config, `${lines.join('\n')}\n`)
      return config
    }
    const service = (side: 'server' | 'client') => [`[${side}.services.bench]`, 'token = "bench"']
    const configs = {
      server: write(
        'server',
        '[server]',
        `bind_addr = "127.0.0.1:${hub}"`,
        ...service('server'),
        `bind_addr = "127.0.0.1:${port}"`,
      ),
      client: write(
        'client',
        '[client]',
        `remote_addr = "127.0.0.1:${hub}"`,
        ...service('client'),
        `local_addr = "127.0.0.1:${target}"`,
      ),
    }
    return startPeer(folder, async (run) => {
      const server = run(file, ['--server', configs.server])
      await server.waitUntil(() => accepts(hub))
      const client = run(file, ['--client', configs.client])
      await client.waitUntil(() => answers(port))
      return {
        port,
        // Its --version is a page that begins with the time of the build.
        version: versionOf(file, ['-V']),
        processes: { hub: [server.pid], ends: [client.pid] },
      }
    })
  },
}
