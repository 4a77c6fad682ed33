import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as dial, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import { freePort } from '../helpers/free-port.ts'
import type { Home } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'

let world: World
let server: Home
beforeAll(async () => {
  world = await World.start()
  server = await world.echoMachine()
  await connectOk(server, ['daemon', 'start'])
})
afterAll(() => world.stop())

interface Taken {
  readonly port: number
  readonly leave: () => Promise<void>
}

/** Something of this test's that has a port. */
async function taken(wanted?: number): Promise<Taken> {
  const other = createServer()
  const port = wanted ?? (await freePort())
  await once(other.listen(port, '127.0.0.1'), 'listening')
  const leave = async () => {
    if (other.listening) await once(other.close(), 'close')
  }
  onTestFinished(leave)
  return { port, leave }
}

/** A machine whose daemon runs. */
async function laptop(): Promise<Home> {
  const home = await joined(world, 'laptop')
  await connectOk(home, ['daemon', 'start'])
  return home
}

/** A connection through a port that has had its echo. */
async function connected(port: number): Promise<Socket> {
  const socket = dial(port, '127.0.0.1').on('error', () => {})
  onTestFinished(() => void socket.destroy())
  socket.write('hello')
  await once(socket, 'data')
  return socket
}

const keep = (home: Home, ...more: string[]) => connect(home, ['reach', 'echo', '--keep', ...more])
const portIn = (text: string) => Number(/ at localhost:(\d+)/.exec(text)![1])
const saved = (home: Home) => readFileSync(home.file('reaches.json'), 'utf8')

describe('without a daemon', () => {
  test('a reach is kept for when one runs, its port settled, and is held once one does', async () => {
    const home = await joined(world, 'laptop')
    expect(await connectOk(home, ['reach'])).toBe('No reach is kept here\n')
    const first = await keep(home)
    const port = portIn(first.stdout)
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^echo is kept at localhost:\d+\n {2}\d+ may be the service’s own port on this machine, so it is \d+\n$/,
      ),
      stderr:
        '[!] No agent is running here, so nobody holds that port yet\n  Next: connect daemon start (it does not come back after a reboot)\n',
    })
    expect(await connect(home, ['reach'])).toMatchObject({
      stdout: `NAME  AT               PORT      CONNECTIONS\necho  localhost:${port}  not held  -\n  None of these ports is held: no agent runs here\n`,
      stderr: '  Next: connect daemon start (it does not come back after a reboot)\n',
    })
    expect((await keep(home)).stdout).toBe(`echo is kept at localhost:${port} already\n`)
    const status = await connectOk(home, ['daemon', 'status'])
    expect(status).toContain(`    Kept reaches: echo at localhost:${port} (not held)\n`)
    await connectOk(home, ['daemon', 'start'])
    expect(await echoed(port, 'hello')).toBe('hello')
  })

  test('a port that is taken is no port to keep, and nothing is saved', async () => {
    const home = await joined(world, 'laptop')
    const { port } = await taken()
    expect(await keep(home, '--port', String(port))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(
          `^\\[x\\] Port ${port} of 127\\.0\\.0\\.1 is in use, by \\S+ \\(PID: ${process.pid}\\)\\n`,
        ),
      ),
    })
    expect(() => saved(home)).toThrow(/ENOENT/)
  })

  test('kept again, it is for the machine that serves the name now', async () => {
    const target = await echoServer()
    onTestFinished(() => target.close())
    const [first, second, home] = [await laptop(), await laptop(), await joined(world, 'laptop')]
    const expose = (at: Home) => connectOk(at, ['expose', String(target.port), '--name', 'handed-on'])
    const again = () => connectOk(home, ['reach', 'handed-on', '--keep'])
    await expose(first)
    const port = portIn(await again())
    const before = saved(home)
    await connectOk(first, ['unexpose', 'handed-on'])
    // There is nobody to accept.
    expect(await again()).toBe(`handed-on is kept at localhost:${port} already\n`)
    await expose(second)
    expect(saved(home)).toBe(before)
    expect(await again()).toBe(`handed-on is kept at localhost:${port}, for the machine that serves it now\n`)
    expect(saved(home)).not.toBe(before)
    expect(await again()).toBe(`handed-on is kept at localhost:${port} already\n`)
  })

  test('two names get two ports, though nobody holds the first', async () => {
    const home = await joined(world, 'laptop')
    const port = portIn((await keep(home)).stdout)
    const other = await connect(home, ['reach', 'other', '--keep', '--port', String(port)])
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining(`Port ${port} is kept for echo`) })
  })

  test('it is taken back', async () => {
    const home = await joined(world, 'laptop')
    await keep(home)
    expect(await connectOk(home, ['unreach', 'echo'])).toBe('[ok] echo is no longer kept\n')
    expect(await connectOk(home, ['unreach', 'echo'])).toBe('echo was not kept here\n')
    expect(JSON.parse(saved(home))).toEqual({ version: 1, reaches: [] })
  })
})

describe('with a daemon', () => {
  test('the port is held from then on: after a crash, a restart of the hub, and when its file is deleted', async () => {
    const home = await laptop()
    const { stdout, stderr } = await keep(home)
    expect(stdout).toMatch(/^\[ok\] echo is kept at localhost:\d+\n/)
    expect(stderr).toBe('')
    const port = portIn(stdout)
    expect(await echoed(port, 'hello')).toBe('hello')

    const { pid } = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as { pid: number }
    process.kill(pid, 'SIGKILL')
    await until(async () => (await connect(home, ['daemon', 'start'])).stdout.includes('Daemon started'))
    expect(await echoed(port, 'hello')).toBe('hello')

    await world.hub.stop()
    await world.restartHub()
    expect(await echoed(port, 'hello')).toBe('hello')

    const before = saved(home)
    rmSync(home.file('reaches.json'))
    await until(() => {
      try {
        return saved(home) === before
      } catch {
        return false
      }
    })
    await connectOk(home, ['daemon', 'stop'])
    await expect(echoed(port, 'hello')).rejects.toThrow(/ECONNREFUSED/)
  })

  test('it moves to another port when that is named, and to none that is taken', async () => {
    const home = await laptop()
    const first = portIn((await keep(home)).stdout)
    expect((await keep(home)).stdout).toBe(`echo is kept at localhost:${first} already\n`)
    const busy = await taken()
    expect(await keep(home, '--port', String(busy.port))).toMatchObject({ code: 1, stdout: '' })
    const next = await freePort()
    expect((await keep(home, '--port', String(next))).stdout).toBe(
      `[ok] echo is kept at localhost:${next} now\n`,
    )
    await expect(echoed(first, 'hello')).rejects.toThrow(/ECONNREFUSED/)
    expect(await echoed(next, 'hello')).toBe('hello')
  })

  test('status tells of its connections, of a port that is taken and by whom, and of what fails', async () => {
    const home = await laptop()
    const spec = await connectOk(home, ['daemon', 'status'])
    expect(spec).not.toMatch(/reach/i)
    const port = portIn((await keep(home)).stdout)
    expect(await connectOk(home, ['reach', 'nobody', '--keep', '--port', '0'])).toMatch(
      /\n {2}The hub was not asked whether there is a service nobody; to see: connect services\n$/,
    )
    await connected(port)
    const nobody = portIn((await connect(home, ['reach', 'nobody', '--keep'])).stdout)
    dial(nobody, '127.0.0.1').on('error', () => {})
    const status = () => connectOk(home, ['daemon', 'status'])
    await until(async () => (await status()).includes('fails since'), { everyMs: 100 })
    const told = await status()
    expect(told).toContain(
      `    Kept reaches: echo at localhost:${port} (1 connection), nobody at localhost:${nobody} (0 connections)\n`,
    )
    expect(told).toMatch(/^ {4}nobody fails since \d{4}-\S+ \S+: there is no service "nobody"$/m)
    expect(told.replaceAll(/^ {4}(Kept|nobody|Live).*\n/gm, '')).toBe(spec.replaceAll(/^ {4}Live.*\n/gm, ''))

    await connectOk(home, ['daemon', 'stop'])
    const busy = await taken(port)
    await connectOk(home, ['daemon', 'start'])
    expect(await status()).toMatch(
      new RegExp(
        `^ {4}echo is not held since \\S+ \\S+: Port ${port} of 127\\.0\\.0\\.1 is in use, by .+ \\(PID: ${process.pid}\\)\\. To move it: connect reach echo --keep --port PORT$`,
        'm',
      ),
    )
    expect(await keep(home)).toMatchObject({
      code: 0,
      stdout: `echo is kept at localhost:${port} already\n`,
      stderr: expect.stringContaining(`[!] That port is not held now: Port ${port}`),
    })
    // The daemon runs, whoever has the port.
    await connectOk(home, ['daemon', 'status', '--check'])
    await busy.leave()
    await until(async () => (await echoed(port, 'hello').catch(() => '')) === 'hello', { everyMs: 50 })
  })

  test('a name that another machine has taken over leads nowhere, and all say so, until it is kept again', async () => {
    const target = await echoServer()
    onTestFinished(() => target.close())
    const [first, second, home] = [await laptop(), await laptop(), await laptop()]
    const expose = (at: Home) => connectOk(at, ['expose', String(target.port), '--name', 'moving'])
    await expose(first)
    const again = () => connectOk(home, ['reach', 'moving', '--keep'])
    const port = portIn(await again())
    expect(await echoed(port, 'hello')).toBe('hello')
    await connectOk(first, ['unexpose', 'moving'])
    await expose(second)
    await expect(echoed(port, 'hello')).rejects.toThrow(/ECONNRESET/)
    const said = '"moving" is now served by another machine, laptop; connect reach moving --keep accepts that'
    expect(await connectOk(home, ['daemon', 'status'])).toContain(`: ${said}\n`)
    expect(await connectOk(home, ['reach'])).toContain(`: ${said}\n`)
    expect(JSON.parse(await connectOk(home, ['reach', '--json']))).toMatchObject({
      reaches: [{ name: 'moving', failure: { cause: 'owner', reason: said } }],
    })
    // It is saved: another agent of this machine is told nothing else.
    await connectOk(home, ['daemon', 'restart'])
    await expect(echoed(port, 'hello')).rejects.toThrow(/ECONNRESET/)
    expect(await again()).toBe(
      `[ok] moving is kept at localhost:${port}, for the machine that serves it now\n`,
    )
    expect(await echoed(port, 'hello')).toBe('hello')
    expect(await again()).toBe(`moving is kept at localhost:${port} already\n`)
  })

  test('unreach says how many connections there are, and ends them, or lets them end', async () => {
    const home = await laptop()
    const port = portIn((await keep(home)).stdout)
    const sockets = [await connected(port), await connected(port)]
    expect(await connectOk(home, ['unreach', 'echo', '--drain'])).toBe(
      '[ok] echo is no longer kept\n' +
        '  2 connections to it stay open until they end by themselves. To end them now: connect unreach echo\n',
    )
    await expect(echoed(port, 'hello')).rejects.toThrow(/ECONNREFUSED/)
    sockets[0]!.write('still here')
    await once(sockets[0]!, 'data')
    expect(await connectOk(home, ['unreach', 'echo'])).toBe(
      'echo was not kept here\n  2 connections to it were ended\n',
    )
    await until(() => sockets.every((socket) => socket.destroyed))
  })

  test('ten at once keep one, with one number', async () => {
    const home = await laptop()
    const all = await Promise.all(Array.from({ length: 10 }, () => keep(home)))
    expect(all.map(({ code }) => code)).toEqual(Array.from({ length: 10 }, () => 0))
    const ports = new Set(all.map(({ stdout }) => portIn(stdout)))
    expect(ports.size).toBe(1)
    expect(all.filter(({ stdout }) => stdout.startsWith('[ok]'))).toHaveLength(1)
    expect(await echoed([...ports][0]!, 'hello')).toBe('hello')
  })

  test('a reach to a service of this very machine is kept beside it, and leads to it', async () => {
    const { stdout } = await keep(server)
    const port = portIn(stdout)
    expect(stdout).toContain('may be the service’s own port on this machine')
    expect(await echoed(port, 'hello')).toBe('hello')
    // Exposing the kept port itself would go round.
    const looped = await connect(server, ['expose', String(port), '--name', 'looped'])
    expect(looped.stderr).toContain('the local port of "connect reach echo", which goes in a loop')
    await connectOk(server, ['unexpose', 'looped'])
    await connectOk(server, ['unreach', 'echo'])
  })

  test('a service that is a Unix socket is kept at a free port, once', async () => {
    const home = await laptop()
    const socket = createServer((client) => client.pipe(client))
    onTestFinished(() => void socket.close())
    const file = home.file('echo.sock')
    await once(socket.listen(file), 'listening')
    await connectOk(home, ['expose', `unix:${file}`, '--name', 'portless'])
    const again = () => connectOk(home, ['reach', 'portless', '--keep'])
    const port = portIn(await again())
    expect(await again()).toBe(`portless is kept at localhost:${port} already\n`)
    expect(await echoed(port, 'hello')).toBe('hello')
  })

  test('beyond loopback it warns, at once and in status', async () => {
    const home = await laptop()
    const { stdout, stderr } = await keep(home, '--port', '0', '--bind', '0.0.0.0')
    const [, address] = / kept at (\S+)\n/.exec(stdout)!
    const warning = `echo: whoever can connect to ${address} reaches it, from other machines too\n`
    expect(stderr).toBe(`[!] ${warning}`)
    expect(await connectOk(home, ['daemon', 'status'])).toContain(`    ${warning}`)
    // What listens on all addresses is in the way of any other.
    const narrower = await keep(home, '--bind', 'localhost')
    expect(narrower).toMatchObject({ code: 1, stderr: expect.stringContaining(`echo stays at ${address}`) })
    await connectOk(home, ['unreach', 'echo'])
    expect((await keep(home, '--bind', 'localhost')).stderr).toBe('')
  })
})

describe('what can’t be kept', () => {
  test('with the hub away a port must be named, and the error says so', async () => {
    const home = await joined(world, 'laptop')
    await world.hub.stop()
    onTestFinished(() => world.restartHub())
    expect(await keep(home)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^\[x\] Could not reach the hub at http:\S+: connection refused\n[^]*connect reach echo --keep --port N\n$/,
      ),
    })
    const port = await freePort()
    expect((await keep(home, '--port', String(port))).stdout).toMatch(
      new RegExp(`^echo is kept at localhost:${port}\\n {2}The hub was not asked .*\\n$`),
    )
    // What is kept needs no hub to be told of.
    expect((await keep(home)).stdout).toBe(`echo is kept at localhost:${port} already\n`)
  })

  test('a name that nobody offers, an address that has to be looked up, and no name at all', async () => {
    const home = await joined(world, 'laptop')
    expect(await connect(home, ['reach', 'nobody', '--keep'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no service "nobody"'),
    })
    expect(await keep(home, '--bind', 'example.com')).toMatchObject({ code: 2 })
    expect(await connect(home, ['reach', '--keep'])).toMatchObject({ code: 2, stdout: '' })
  })

  test('a list that is damaged ends the daemon for good, and is left as it is', async () => {
    const home = await joined(world, 'laptop')
    writeFileSync(home.file('reaches.json'), '{')
    const { code, stderr } = await connect(home, ['up', '--foreground'])
    expect(code).toBe(78)
    expect(stderr).toMatch(/reaches\.json is not valid JSON/)
    expect(saved(home)).toBe('{')
    expect((await keep(home, '--port', '0')).code).toBe(1)
  })
})
