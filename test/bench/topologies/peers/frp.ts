import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { answers } from '../../processes/answers.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { accepts } from '../../processes/accepts.ts'
import { programFile } from '../../processes/program-file.ts'
import { versionOf } from '../../processes/version.ts'
import { makeCertificate } from '../certificate.ts'
import type { StartOptions, Topology, Tunnel } from '../topology.ts'
import { startPeer } from './start-peer.ts'

/** One frpc offers a secret service, the other visits it: the same three hops as this tunnel's. */
export const frp: Topology = {
  name: 'frp',
  hops: 3,
  about: 'frps, frpc with stcp, frpc as its visitor; `transport.tls.enable = false`',
  start: (options) => start(options, false),
}

export const frpTls: Topology = {
  name: 'frp, TLS',
  hops: 3,
  about: 'the same with TLS, which is its default; a certificate that both frpc check',
  start: (options) => start(options, true),
}

async function start({ target, folder }: StartOptions, isTls: boolean): Promise<Tunnel> {
  const [frps, frpc] = [programFile('frps'), programFile('frpc')]
  const [hub, port] = [await freePort(), await freePort()]
  const files = writeConfig(folder, { hub, port, target, isTls })
  return startPeer(folder, async (run) => {
    const server = run(frps, ['-c', files.server])
    await server.waitUntil(() => accepts(hub))
    const expose = run(frpc, ['-c', files.expose])
    await expose.printed(/start proxy success/)
    const reach = run(frpc, ['-c', files.reach])
    await reach.waitUntil(() => answers(port))
    return {
      port,
      version: versionOf(frps),
      processes: { hub: [server.pid], ends: [expose.pid, reach.pid] },
    }
  })
}

function writeConfig(
  folder: string,
  { hub, port, target, isTls }: { hub: number; port: number; target: number; isTls: boolean },
): { server: string; expose: string; reach: string } {
  const tls = isTls ? makeCertificate(folder) : undefined
  const common = ['auth.token = "bench"', 'log.disablePrintColor = true']
  const client = [
    ...common,
    'serverAddr = "127.0.0.1"',
    `serverPort = ${hub}`,
    `transport.tls.enable = ${isTls}`,
    ...(tls ? [`transport.tls.trustedCaFile = "${tls.cert}"`] : []),
  ]
  const write = (name: string, lines: readonly string[]) => {
    const file = path.join(folder, `${name}.toml`)
    writeFileSync(file, `${lines.join('\n')}\n`)
    return file
  }
  return {
    server: write('frps', [
      ...common,
      'bindAddr = "127.0.0.1"',
      `bindPort = ${hub}`,
      ...(tls ? [`transport.tls.certFile = "${tls.cert}"`, `transport.tls.keyFile = "${tls.key}"`] : []),
    ]),
    expose: write('expose', [
      ...client,
      '[[proxies]]',
      'name = "bench"',
      'type = "stcp"',
      'secretKey = "bench"',
      'localIP = "127.0.0.1"',
      `localPort = ${target}`,
    ]),
    reach: write('reach', [
      ...client,
      '[[visitors]]',
      'name = "visitor"',
      'type = "stcp"',
      'serverName = "bench"',
      'secretKey = "bench"',
      'bindAddr = "127.0.0.1"',
      `bindPort = ${port}`,
    ]),
  }
}
