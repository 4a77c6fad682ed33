import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { connectOk, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { freePort } from '../helpers/free-port.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { start } from './helpers/run.ts'
import { dial, openSocket, readToEnding } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

const FLOOD = path.join(import.meta.dirname, 'fixtures', 'flood.ts')
const FLOWING_BYTES = 4_000_000

labSuite('a connection that cannot go on', {}, () => {
  const own = ownedBySuite()
  let world: World
  let server: Home
  let client: Home

  beforeAll(async () => {
    world = own(await World.start(), (it) => it.stop())
    server = await world.machine('server')
    client = await world.machine('client')
  })

  async function exposed(name: string, port: number): Promise<{ port: number; cli: RunningCli }> {
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', `127.0.0.1:${port}`, '--name', name])
    return world.reach(client, name)
  }

  async function startFlood(): Promise<{ target: RunningCli; port: number }> {
    const target = own(start(process.execPath, [FLOOD]), (it) => it.stop())
    const [, port] = await target.printed(/port (\d+)/)
    return { target, port: Number(port) }
  }

  test('a target that refuses gives the client a reset within a second, and the log says why', async () => {
    const target = await freePort()
    const { port } = await exposed('nothing', target)
    const ending = await readToEnding(dial(port))
    console.log(`refused: reset after ${ending.afterMs.toFixed(0)} ms`)
    expect(ending).toMatchObject({ how: 'ECONNRESET', bytes: 0 })
    expect(ending.afterMs).toBeLessThan(1000)
    const reason = new RegExp(`Could not connect to 127\\.0\\.0\\.1:${target} .*connection refused`)
    expect(readFileSync(server.file('daemon.log'), 'utf8')).toMatch(reason)
    expect(await connectOk(server, ['daemon', 'logs'])).toMatch(reason)
  })

  test('a client that speaks first is reset all the same by a target that refuses', async () => {
    const { port } = await exposed('speaks-first', await freePort())
    const socket = dial(port)
    socket.write(Buffer.alloc(100_000))
    const ending = await readToEnding(socket)
    expect(ending).toMatchObject({ how: 'ECONNRESET', bytes: 0 })
    expect(ending.afterMs).toBeLessThan(1000)
  })

  test('the target’s process is killed while data flows: the client sees a reset', async () => {
    const { target, port } = await startFlood()
    const socket = await flowing((await exposed('killed-target', port)).port)
    target.kill('SIGKILL')
    const ending = await readToEnding(socket)
    report('target', ending.afterMs)
    expect(ending.how).toBe('ECONNRESET')
  })

  test('the agent is killed while data flows: the client sees a reset, and a new daemon serves again', async () => {
    const local = await exposed('killed-agent', (await startFlood()).port)
    const socket = await flowing(local.port)
    process.kill(Number(readFileSync(server.file('daemon.pid'), 'utf8')), 'SIGKILL')
    const ending = await readToEnding(socket)
    report('agent', ending.afterMs)
    expect(ending.how).toBe('ECONNRESET')

    await connectOk(server, ['daemon', 'start'])
    ;(await flowing(local.port)).destroy()
  })

  test('the hub is killed while data flows: a new hub carries on with it, and with new connections', async () => {
    const local = await exposed('killed-hub', (await startFlood()).port)
    const sockets = await Promise.all([flowing(local.port), flowing(local.port)])
    await world.hub.stop('SIGKILL')
    await world.restartHub()
    // Both ends of the tunnel come back by themselves.
    await local.cli.printed(/Reconnected to hub/, 90_000)
    await isConnected(server)
    for (const socket of [...sockets, await openSocket(local.port)]) {
      await flow(socket)
      socket.destroy()
    }
  })
})

/**
 * A connection over which megabytes have come and more are on their way, while the target has bytes to read.
 */
async function flowing(port: number): Promise<Socket> {
  const socket = await openSocket(port)
  await flow(socket)
  return socket
}

async function flow(socket: Socket): Promise<void> {
  socket.write(Buffer.alloc(64 * 1024))
  for (let bytes = 0; bytes < FLOWING_BYTES;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    bytes += chunk.length
  }
}

async function isConnected(home: Home): Promise<void> {
  const ask = async () =>
    (await connectOk(home, ['daemon', 'status'])).includes('Connection: connected') ? true : undefined
  if (!(await waitFor(ask, { timeoutMs: 90_000, everyMs: 500 })))
    throw new Error('the daemon does not come back to the hub')
}

function report(killed: string, afterMs: number): void {
  console.log(`${killed} killed: reset after ${afterMs.toFixed(0)} ms`)
}
