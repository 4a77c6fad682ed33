import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as dial, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, connectOk } from '../helpers/cli.ts'
import { freePort } from '../helpers/free-port.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/** A database, as far as its port goes: what it is sent it says again. */
async function startDatabase(port: number): Promise<{ stop: () => Promise<void> }> {
  const server: Server = createServer((socket) => socket.pipe(socket).on('error', () => {}))
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const stop = async () => {
    if (!server.listening) return
    await once(server.close(), 'close')
  }
  onTestFinished(stop)
  return { stop }
}

/** What a client of a local port gets: its own word again, or an error's code. */
async function outcomeAt(port: number, host = 'localhost'): Promise<string> {
  const socket = dial({ port, host })
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.once('data', (bytes: Buffer) => resolve(String(bytes)))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  socket.once('end', () => resolve('a clean end'))
  socket.write('hello')
  const outcome = await promise
  socket.destroy()
  return outcome
}

async function exposed(name: string, port: number, at = world): Promise<Home> {
  const server = await at.machine(`${name}-server`)
  await connectOk(server, ['daemon', 'start'])
  await connectOk(server, ['expose', `localhost:${port}`, '--name', name])
  return server
}

const errorsIn = (text: string) => text.split('\n').filter((line) => line.includes('[x]'))
const logOf = (home: Home) => readFileSync(home.file('daemon.log'), 'utf8')

test('reach --bind with an address that is not this machine’s ends at once, and says so', async () => {
  await exposed('bound', await freePort())
  const client = await world.machine('client')
  for (const port of [[], ['--port', '0']]) {
    const { code, stdout, stderr } = await connect(client, ['reach', 'bound', '--bind', '192.0.2.9', ...port])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^\[x\] 192\.0\.2\.9 is not an address of this machine\n {2}\S.*\n$/)
  }
})

describe('hub, database and client on one machine', () => {
  test('the database is down at first, then up, then down: it always gets its port, and clients are reset meanwhile', async () => {
    const port = await freePort()
    const server = await exposed('shop', port)
    const client = await world.machine('client')
    const reached = await world.reach(client, 'shop', [])
    expect(reached.port).not.toBe(port)
    expect(reached.cli.stdout).toContain(`is at localhost:${reached.port}\n`)
    expect(reached.cli.stdout).toContain(
      `\n  ${port} may be the service’s own port on this machine, so it is ${reached.port}\n`,
    )

    expect(await outcomeAt(reached.port)).toBe('ECONNRESET')
    await reached.cli.printed(/\[x\] .*connection refused/)
    expect(errorsIn(reached.cli.output)).toHaveLength(1)
    expect(errorsIn(logOf(server))).toHaveLength(1)

    const database = await startDatabase(port)
    for (const host of ['127.0.0.1', '::1']) expect(await outcomeAt(reached.port, host)).toBe('hello')
    await database.stop()
    expect(await outcomeAt(reached.port)).toBe('ECONNRESET')
    await startDatabase(port)
    expect(await outcomeAt(reached.port)).toBe('hello')
  })

  test('a reach that was told to take the database’s port is no target: its clients are reset, once each, as a loop', async () => {
    const port = await freePort()
    const server = await exposed('looped', port)
    const { cli } = await world.reach(await world.machine('client'), 'looped', ['--port', String(port)])
    expect(await outcomeAt(port)).toBe('ECONNRESET')
    await cli.printed(/\[x\] .*local port of "connect reach looped", which goes in a loop/)
    expect(errorsIn(cli.output)).toHaveLength(1)
    expect(errorsIn(logOf(server))).toHaveLength(1)
    expect(logOf(server).match(/Dialing/g)).toHaveLength(1)

    // An address of this machine by another name is the same.
    for (const host of ['0.0.0.0', '[::1]', 'localhost']) {
      const warned = await connect(server, ['expose', `${host}:${port}`, '--name', 'looped'])
      expect(warned.stderr).toContain('"connect reach looped"')
      expect(await outcomeAt(port)).toBe('ECONNRESET')
    }
    expect(logOf(server).match(/Dialing/g)).toHaveLength(4)
    await cli.stop()
    await startDatabase(port)
    expect((await connect(server, ['expose', `localhost:${port}`, '--name', 'looped'])).stderr).toBe('')
  })

  test('the port of a service of its own is left alone by reach, though no agent runs', async () => {
    const port = await freePort()
    const server = await exposed('own', port)
    await connectOk(server, ['daemon', 'stop'])
    const { port: taken } = await world.reach(server, 'own', [])
    expect(taken).toBeGreaterThan(port)
  })
})

test('a loop by way of another hub ends after eight services', { tags: ['variation'] }, async () => {
  const other = await World.start()
  try {
    const [first, second] = [await freePort(), await freePort()]
    const servers = [await exposed('one', second), await exposed('two', first, other)]
    const one = await world.reach(await world.machine('client'), 'one', ['--port', String(first)])
    const two = await other.reach(await other.machine('client'), 'two', ['--port', String(second)])
    expect(await outcomeAt(first)).toBe('ECONNRESET')
    await Promise.any([one.cli, two.cli].map((cli) => cli.printed(/\[x\] .*goes in a loop/)))
    const dials = servers.map((server) => logOf(server).match(/Dialing/g)?.length ?? 0)
    expect(dials[0]! + dials[1]!).toBe(9)
  } finally {
    await other.stop()
  }
})
