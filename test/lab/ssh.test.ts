import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { sshConfig } from '../../src/ssh/settings.ts'
import { connectOk, root, type CliResult } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { makeLauncher, type Launcher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { run } from './helpers/run.ts'
import { sshPrograms, startSshd, type Sshd } from './helpers/sshd.ts'
import { labSuite } from './helpers/suite.ts'

const programs = [...sshPrograms, 'git', 'rsync', 'scp', 'sftp']

labSuite('connect ssh', { programs, root: true }, () => {
  const own = ownedBySuite()
  let world: World
  let launcher: Launcher
  let sshd: Sshd
  let server: Home
  let client: Home
  /** Knows the server as dev.privateconnect. */
  let config: string

  beforeAll(async () => {
    launcher = own(makeLauncher(), (it) => it.remove())
    world = own(await World.start(), (it) => it.stop())
    server = await world.machine('server')
    client = await world.machine('client')
    sshd = own(await startSshd(server, { PATH: process.env.PATH! }), (it) => it.stop())
    await connectOk(server, ['expose', String(sshd.port), '--name', 'dev'])
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['daemon', 'status', '--wait', '30s'])
    config = sshd.configFor('dev.privateconnect')
  })

  /** In the home of the client, with `connect` on the PATH. */
  const sh = (script: string, env: NodeJS.ProcessEnv = {}): Promise<CliResult> =>
    run('sh', ['-c', script], {
      cwd: client.folder,
      env: { ...client.env, PATH: launcher.path, config, ...env },
      timeoutMs: 60_000,
    })

  const shOk = async (script: string, env: NodeJS.ProcessEnv = {}) => {
    const result = await sh(script, env)
    expect(result, script + result.stderr).toMatchObject({ code: 0 })
    return result.stdout
  }

  /** A file of random bytes in the client's home. */
  function makeFile(name: string): Buffer {
    const bytes = randomBytes(3_000_000)
    mkdirSync(path.dirname(path.join(client.folder, name)), { recursive: true })
    writeFileSync(path.join(client.folder, name), bytes)
    return bytes
  }

  test('runs a command on the service, whose exit code and output are ours', async () => {
    const script = `printf 'in\\n' | connect ssh -F "$config" -p 2222 dev 'read word; echo "$word out"; exit 5'`
    expect(await sh(script)).toEqual({ code: 5, signal: null, stdout: 'in out\n', stderr: '' })
  })

  test('checks the host key, which is kept for NAME.privateconnect', async () => {
    const other = sshd.configFor('dev')
    const { code, stdout, stderr } = await sh(`connect ssh -F '${other}' dev true`)
    expect({ code, stdout }).toEqual({ code: 255, stdout: '' })
    expect(stderr).toContain('Host key verification failed')
  })

  test('says in our words why it comes to nothing', async () => {
    const { code, stderr } = await sh('connect ssh -F "$config" nobody true')
    expect(code).toBe(255)
    expect(stderr).toMatch(/\[x\] .*there is no service "nobody"\n/i)
  })

  test('git clones and pushes through it, with and without a port', async () => {
    const folder = path.join(server.folder, 'project.git')
    execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', folder])
    const bytes = makeFile('first/file')
    const git = { GIT_SSH_COMMAND: 'connect ssh -F "$config"', GIT_CONFIG_GLOBAL: '/dev/null' }
    const who = '-c user.name=a -c user.email=a@example.com'
    await shOk(
      `cd first && git init --quiet --initial-branch=main && git add file && git ${who} commit --quiet -m one && ` +
        `git push --quiet 'dev:${folder}' main`,
      git,
    )
    await shOk(
      `git clone --quiet 'ssh://dev:2222${folder}' second && git clone -4 --quiet 'dev:${folder}' third`,
      git,
    )
    for (const name of ['second', 'third'])
      expect(readFileSync(path.join(client.folder, name, 'file')).equals(bytes)).toBe(true)
  })

  test('rsync copies through it', async () => {
    const bytes = makeFile('tree/a b')
    const target = path.join(server.folder, 'tree')
    await shOk(`rsync --archive -e "connect ssh -F '$config'" tree/ 'dev:${target}/'`)
    expect(readFileSync(path.join(target, 'a b')).equals(bytes)).toBe(true)
  })

  test('what --config prints leads ssh, scp, sftp and rsync to each service', async () => {
    const printed = await shOk('connect ssh --config; connect ssh --config dev')
    const block = sshd.configFor('dev.privateconnect', printed)
    const bytes = makeFile('letter')
    const [a, b, c] = ['a', 'b', 'c'].map((name) => path.join(server.folder, name))
    await shOk(`scp -q -F '${block}' letter 'dev.privateconnect:${a}'`)
    await shOk(`echo "put letter ${b}" | sftp -q -F '${block}' -b - dev >/dev/null`)
    await shOk(`rsync -e "ssh -F '${block}'" letter 'dev.privateconnect:${c}'`)
    for (const file of [a, b, c]) expect(readFileSync(file!).equals(bytes)).toBe(true)
    expect(await shOk(`ssh -F '${block}' dev echo hello`)).toBe('hello\n')
  })

  test.for(['/bin/sh', '/bin/bash', '/bin/zsh'])(
    'a program at an odd path is found again by %s',
    async (shell) => {
      const odd = path.join(client.folder, `it's "my" $HOME \`x\` %h & #1 \\`, path.basename(shell))
      mkdirSync(odd, { recursive: true })
      symlinkSync(root, path.join(odd, 'here'))
      const script = path.join(odd, 'here', 'bin', 'run.js')
      const env = { ...client.env, SHELL: shell }
      const options = { cwd: client.folder, env, timeoutMs: 60_000 }
      const args = [script, 'ssh', '-F', config, 'dev', 'echo hello']
      expect(await run(process.execPath, args, options)).toMatchObject({ code: 0, stdout: 'hello\n' })
      // Printed is what outlives an upgrade, and a link in /tmp does not.
      const caller = { program: [process.execPath, script], instance: undefined }
      const block = sshd.configFor('dev.privateconnect', sshConfig([], caller))
      const hello = ['-F', block, 'dev.privateconnect', 'echo hello']
      expect(await run('ssh', hello, options)).toMatchObject({ code: 0, stdout: 'hello\n' })
    },
  )
})
