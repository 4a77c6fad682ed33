import { answers } from '../../processes/answers.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { accepts } from '../../processes/accepts.ts'
import { programFile } from '../../processes/program-file.ts'
import { versionOf } from '../../processes/version.ts'
import { makeCertificate } from '../certificate.ts'
import type { StartOptions, Topology, Tunnel } from '../topology.ts'
import { startPeer } from './start-peer.ts'

/** A WebSocket for each connection. */
export const wstunnel: Topology = {
  name: 'wstunnel',
  hops: 3,
  about: 'a server, a client with `-R` and one with `-L`; ws://',
  start: (options) => start(options, 'ws'),
}

export const wstunnelTls: Topology = {
  name: 'wstunnel, TLS',
  hops: 3,
  about: 'the same; wss://, the certificate unchecked, which is its default',
  start: (options) => start(options, 'wss'),
}

async function start({ target, folder }: StartOptions, scheme: 'ws' | 'wss'): Promise<Tunnel> {
  const file = programFile('wstunnel')
  const [hub, middle, port] = [await freePort(), await freePort(), await freePort()]
  const url = `${scheme}://127.0.0.1:${hub}`
  return startPeer(folder, async (run) => {
    const server = run(file, ['server', ...(scheme === 'wss' ? tlsArgs(folder) : []), url])
    await server.waitUntil(() => accepts(hub))
    const expose = run(file, ['client', '-R', `tcp://127.0.0.1:${middle}:127.0.0.1:${target}`, url])
    await expose.waitUntil(() => answers(middle))
    const reach = run(file, ['client', '-L', `tcp://127.0.0.1:${port}:127.0.0.1:${middle}`, url])
    await reach.waitUntil(() => answers(port))
    return {
      port,
      version: versionOf(file),
      processes: { hub: [server.pid], ends: [expose.pid, reach.pid] },
    }
  })
}

function tlsArgs(folder: string): string[] {
  const { cert, key } = makeCertificate(folder)
  return ['--tls-certificate', cert, '--tls-private-key', key]
}
