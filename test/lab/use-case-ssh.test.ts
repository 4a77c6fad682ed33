import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { connectOk, RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { isGone } from './helpers/is-gone.ts'
import { makeLauncher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { runOk } from './helpers/run.ts'
import { sshPrograms, startSshd, type Sshd } from './helpers/sshd.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('a remote development machine', { programs: sshPrograms, root: true }, () => {
  const own = ownedBySuite()
  let world: World
  let sshd: Sshd
  let server: Home
  let client: Home
  let apiPort: number

  beforeAll(async () => {
    const respond: RequestListener = ({ method, url }, response) => response.end(`${method} ${url}`)
    const api = own(createServer(respond), (it) => it.close())
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    apiPort = (api.address() as AddressInfo).port
    const launcher = own(makeLauncher(), (it) => it.remove())
    world = own(await World.start(), (it) => it.stop())
    server = await world.machine('server')
    client = await world.machine('client')
    const env = { PATH: launcher.path, CONNECT_PLATFORM: 'background' }
    sshd = own(await startSshd(server, env), (it) => it.stop())
    // A login shell takes its PATH from here.
    writeFileSync(path.join(server.folder, '.bash_profile'), `export PATH='${launcher.path}'\n`)
  })

  const ssh = (command: string) =>
    runOk('ssh', [...sshd.client, 'dev-server', command], { timeoutMs: 30_000 })

  test('ssh returns once the daemon is started, and what is exposed answers after it has', async () => {
    expect(await ssh('echo "$HOME"')).toBe(`${server.folder}\n`)
    expect(await ssh('connect daemon start')).toContain('[ok] Daemon started (PID: ')
    expect(await ssh(`connect expose localhost:${apiPort} --name staging-api`)).toContain('[ok] Exposing')
    const { port } = await world.reach(client, 'staging-api')
    expect(await get(port, '/health')).toBe('GET /health')
  })

  test('a daemon started at a remote terminal outlives a connection that is lost', async () => {
    const session = spawn('ssh', [...sshd.client, '-tt', 'dev-server'], { stdio: 'pipe' })
    const shell = own(new RunningCli(session, 'beside ssh'), (it) => it.stop('SIGKILL'))
    session.stdin.write(`connect daemon restart && echo restart: $?\n`)
    await shell.printed(/restart: 0/)
    session.stdin.write(`connect expose localhost:${apiPort} --name terminal-api && echo expose: $?\n`)
    await shell.printed(/expose: 0/)
    const { port } = await world.reach(client, 'terminal-api')
    expect(await get(port, '/before')).toBe('GET /before')

    session.stdin.write('echo shell: $$\n')
    const [, remoteShell] = await shell.printed(/shell: (\d+)/)
    await shell.stop('SIGKILL')
    await isGone(Number(remoteShell))
    expect(await get(port, '/after')).toBe('GET /after')
    expect(await connectOk(server, ['daemon', 'status'])).toContain('● Status: running')
  })
})

async function get(port: number, url: string): Promise<string> {
  // A connection of its own each time: one that is kept alive would prove nothing of new ones.
  const response = await fetch(`http://127.0.0.1:${port}${url}`, { headers: { connection: 'close' } })
  return response.text()
}
