import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import type { Home } from '../../helpers/home.ts'
import { freePort } from '../../helpers/free-port.ts'
import { runOk, start } from './run.ts'

export const sshPrograms = ['/usr/sbin/sshd', 'ssh', 'ssh-keygen']

export interface Sshd {
  /** Arguments by which `ssh` knows the host `dev-server`. */
  readonly client: readonly string[]
  readonly port: number
  /** The same, for one that has to go another way: through this local port. */
  through(port: number): readonly string[]
  /** An ssh_config for any host, to which the server is known by one name. @param text what stands before */
  configFor(name: string, text?: string): string
  stop(): Promise<void>
}

/**
 * An SSH server of its own, which lets this very user in by key, into another home folder.
 *
 * @param home who logs in finds it as HOME
 * @param env set in each session, besides HOME
 */
export async function startSshd(home: Home, env: Readonly<Record<string, string>>): Promise<Sshd> {
  const folder = mkdtempSync(path.join(tmpdir(), 'pc-ssh-'))
  const file = (name: string) => path.join(folder, name)
  for (const key of ['host', 'user'])
    await runOk('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(key)])
  const port = await freePort()
  writeFileSync(file('authorized_keys'), readFileSync(file('user.pub')))
  writeFileSync(file('known_hosts'), `[127.0.0.1]:${port} ${readFileSync(file('host.pub'), 'utf8')}`)
  const sessionEnv = Object.entries({ ...env, HOME: home.folder }).map(
    ([name, value]) => `${name}="${value}"`,
  )
  writeConfig(file('sshd_config'), {
    ListenAddress: `127.0.0.1:${port}`,
    HostKey: file('host'),
    PidFile: 'none',
    AuthorizedKeysFile: file('authorized_keys'),
    // The folder lies below /tmp, which everyone may write to.
    StrictModes: 'no',
    PermitRootLogin: 'prohibit-password',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    UsePAM: 'no',
    PrintMotd: 'no',
    PrintLastLog: 'no',
    Subsystem: 'sftp internal-sftp',
    SetEnv: sessionEnv.join(' '),
  })
  const login = {
    User: userInfo().username,
    IdentityFile: file('user'),
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    StrictHostKeyChecking: 'yes',
    BatchMode: 'yes',
    LogLevel: 'ERROR',
  }
  writeConfig(file('ssh_config'), {
    Host: 'dev-server',
    HostName: '127.0.0.1',
    Port: String(port),
    UserKnownHostsFile: file('known_hosts'),
    ...login,
  })
  mkdirSync(home.folder, { recursive: true })
  // A folder that the server insists on and that a boot makes.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const server = start('/usr/sbin/sshd', ['-f', file('sshd_config'), '-D', '-e'])
  await server.printed(/Server listening on/)
  return {
    client: ['-F', file('ssh_config')],
    port,
    through: (other) => [
      '-F',
      file('ssh_config'),
      '-p',
      String(other),
      '-o',
      `HostKeyAlias=[127.0.0.1]:${port}`,
    ],
    configFor(name, text = '') {
      const config = file(`${randomUUID()}.config`)
      const known = `${config}.known`
      writeFileSync(known, `${name} ${readFileSync(file('host.pub'), 'utf8')}`)
      writeConfig(config, { Host: '*', UserKnownHostsFile: known, ...login }, text)
      return config
    },
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function writeConfig(file: string, settings: Readonly<Record<string, string>>, before = ''): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`)
  writeFileSync(file, before + lines.join(''), { mode: 0o600 })
}
