import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import { answers } from '../../processes/answers.ts'
import { freePort } from '../../../helpers/free-port.ts'
import { accepts } from '../../processes/accepts.ts'
import { programFile } from '../../processes/program-file.ts'
import { versionOf } from '../../processes/version.ts'
import { NotThereError, type Topology } from '../topology.ts'
import { startPeer } from './start-peer.ts'

/** The folder that an sshd of root's wants, whoever started it. */
const PRIVILEGE_SEPARATION = '/run/sshd'

/** `ssh -R` at the service's side, `ssh -L` at the client's, and an sshd of our own between them. */
export const openssh: Topology = {
  name: 'OpenSSH',
  hops: 3,
  about: 'sshd, `ssh -R … sleep 1d` and `ssh -L … sleep 1d`: with `-N` they keep Nagle’s algorithm on',
  async start({ target, folder }) {
    const [ssh, sshd, keygen] = [programFile('ssh'), programFile('sshd'), programFile('ssh-keygen')]
    if (userInfo().uid === 0 && !existsSync(PRIVILEGE_SEPARATION))
      throw new NotThereError(`there is no ${PRIVILEGE_SEPARATION}, which sshd wants`)
    const [hub, middle, port] = [await freePort(), await freePort(), await freePort()]
    const config = writeConfig(keygen, folder, hub)
    return startPeer(folder, async (run) => {
      const client = (forward: string, to: string) =>
        run(ssh, ['-F', config.client, forward, to, '127.0.0.1', 'sleep 1d'])
      const server = run(sshd, ['-D', '-e', '-f', config.server])
      await server.waitUntil(() => accepts(hub))
      const expose = client('-R', `127.0.0.1:${middle}:127.0.0.1:${target}`)
      await expose.waitUntil(() => answers(middle))
      const reach = client('-L', `127.0.0.1:${port}:127.0.0.1:${middle}`)
      await reach.waitUntil(() => answers(port))
      return {
        port,
        version: versionOf(ssh, ['-V']),
        processes: { hub: [server.pid], ends: [expose.pid, reach.pid] },
      }
    })
  },
}

/** Keys and two config files, so that nothing of the system's or the user's own SSH is read or changed. */
function writeConfig(keygen: string, folder: string, port: number): { server: string; client: string } {
  const [hostKey, userKey] = ['host-key', 'user-key'].map((name) => {
    const file = path.join(folder, name)
    execFileSync(keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', file])
    return file
  }) as [string, string]
  const authorized = path.join(folder, 'authorized_keys')
  copyFileSync(`${userKey}.pub`, authorized)
  const [server, client] = [path.join(folder, 'sshd_config'), path.join(folder, 'ssh_config')]
  writeFileSync(
    server,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${authorized}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      '',
    ].join('\n'),
  )
  writeFileSync(
    client,
    [
      `Port ${port}`,
      `User ${userInfo().username}`,
      `IdentityFile ${userKey}`,
      'IdentitiesOnly yes',
      'BatchMode yes',
      'ExitOnForwardFailure yes',
      'StrictHostKeyChecking no',
      'UserKnownHostsFile /dev/null',
      'LogLevel ERROR',
      '',
    ].join('\n'),
  )
  return { server, client }
}
