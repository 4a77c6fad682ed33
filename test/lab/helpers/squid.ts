import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../helpers/free-port.ts'
import { runOk, start } from './run.ts'

export interface Squid {
  readonly port: number
  stop(): Promise<void>
}

/** Where Debian has the helper that reads a file of passwords. */
export const NCSA_AUTH = '/usr/lib/squid/basic_ncsa_auth'

export interface SquidOptions {
  /** A name that it alone knows: it is 127.0.0.1. */
  readonly host: string
  readonly user: string
  readonly password: string
}

/** A proxy that wants a password, and leads to one host. */
export async function startSquid({ host, user, password }: SquidOptions): Promise<Squid> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pc-squid-'))
  // As root it becomes the user proxy.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const file = (name: string, content: string) => {
    writeFileSync(path.join(folder, name), content, { mode: 0o644 })
    return path.join(folder, name)
  }
  const hash = (await runOk('openssl', ['passwd', '-apr1', '-stdin'], { input: password })).trim()
  const config = [
    `http_port 127.0.0.1:${port}`,
    `hosts_file ${file('hosts', `127.0.0.1 ${host}\n`)}`,
    `auth_param basic program ${NCSA_AUTH} ${file('passwords', `${user}:${hash}\n`)}`,
    'acl known proxy_auth REQUIRED',
    `acl hub dstdomain ${host}`,
    'http_access deny !hub',
    'http_access allow known',
    'http_access deny all',
    `pid_filename ${folder}/pid`,
    'cache_log /dev/null',
    'access_log none',
    'cache deny all',
    'shutdown_lifetime 1 seconds',
  ]
  const squid = start('squid', ['-N', '-d', '1', '-f', file('squid.conf', `${config.join('\n')}\n`)])
  await squid.printed(/Accepting HTTP Socket connections/)
  return {
    port,
    async stop() {
      await squid.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
