import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { probeTarget } from '../../../src/net/probe-target.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { IssuedCertificate } from '../../helpers/certificates.ts'
import type { RunningCli } from '../../helpers/cli.ts'
import { documented } from './documented.ts'
import { freePort } from '../../helpers/free-port.ts'
import { start } from './run.ts'

export interface ReverseProxy {
  readonly port: number
  stop(): Promise<void>
}

interface Before {
  /** `127.0.0.1:7700` */
  readonly hub: string
  readonly certificate: IssuedCertificate
}

/**
 * How long a link may be without a byte; shorter than anyone would choose, and longer than the pause between
 * two pings.
 */
const IDLE = '20s'

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

export async function startNginx({ hub, certificate }: Before): Promise<ReverseProxy> {
  return running('nginx', (folder, port) => {
    const replace = {
      443: String(port),
      '/etc/ssl/hub.example.com.pem': certificate.cert,
      '/etc/ssl/hub.example.com.key': certificate.key,
      '127.0.0.1:7700': hub,
    }
    const server = documented('hub.md', 'nginx', replace)
    const below = documented('hub.md', 'nginx', { '127.0.0.1:7700': hub }, 1)
    const file = path.join(folder, 'nginx.conf')
    const paths = TEMPORARY.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')
    const http = `access_log off;\nproxy_read_timeout ${IDLE};\n${paths}\n${server.replace(/\}\s*$/, `${below}}`)}`
    writeFileSync(file, `daemon off;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\n${http}\n}\n`)
    return ['-c', file, '-p', folder, '-e', 'stderr']
  })
}

export async function startHaproxy({ hub, certificate }: Before): Promise<ReverseProxy> {
  return running('haproxy', (folder, port) => {
    const both = path.join(folder, 'both.pem')
    writeFileSync(both, readFileSync(certificate.cert, 'utf8') + readFileSync(certificate.key, 'utf8'))
    const replace = {
      ':443': `127.0.0.1:${port}`,
      '/etc/ssl/hub.example.com.both.pem': both,
      '127.0.0.1:7700': hub,
      'timeout tunnel 60s': `timeout tunnel ${IDLE}`,
    }
    const file = path.join(folder, 'haproxy.cfg')
    writeFileSync(file, documented('hub.md', 'haproxy', replace))
    return ['-db', '-f', file]
  })
}

export async function startCaddy({ hub, certificate }: Before): Promise<ReverseProxy> {
  return running('caddy', (folder, port) => {
    const replace = {
      'hub.example.com {': `https://127.0.0.1:${port} {`,
      '/etc/ssl/hub.example.com.pem /etc/ssl/hub.example.com.key': `${certificate.cert} ${certificate.key}`,
      '127.0.0.1:7700': hub,
    }
    const file = path.join(folder, 'Caddyfile')
    const globals = '{\n  admin off\n  auto_https disable_redirects\n}\n'
    writeFileSync(file, globals + documented('hub.md', 'caddy', replace))
    return ['run', '--config', file, '--adapter', 'caddyfile']
  })
}

async function running(
  program: string,
  configure: (folder: string, port: number) => readonly string[],
): Promise<ReverseProxy> {
  const folder = mkdtempSync(path.join(tmpdir(), `pc-${program}-`))
  const port = await freePort()
  const server: RunningCli = start(program, configure(folder, port), {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  })
  const stop = async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  if (
    !(await waitFor(async () => (await probeTarget({ host: '127.0.0.1', port })).isListening || undefined, {
      timeoutMs: 30_000,
    }))
  ) {
    await stop()
    throw new Error(`${program} does not answer:\n${server.output}`)
  }
  return { port, stop }
}
