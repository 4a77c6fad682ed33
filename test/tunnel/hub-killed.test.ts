import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
import { serveTcp, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

const MEGABYTE = randomBytes(1_000_000)
const MEGABYTES = 60
const HASH = createHash('sha256')
for (let i = 0; i < MEGABYTES; i++) HASH.update(MEGABYTE)
const EXPECTED = HASH.digest('hex')

let world: World
let target: TestServer
/** What the next connection to the target does. */
let onTarget: (socket: Socket) => void = () => {}
let port: number

beforeAll(async () => {
  world = await World.start()
  target = await serveTcp((socket) => onTarget(socket))
  const server = await world.machine('server')
  await connectOk(server, ['daemon', 'start'])
  await connectOk(server, ['expose', `127.0.0.1:${target.port}`, '--name', 'files'])
  port = (await world.reach(await world.machine('client'), 'files')).port
})

afterAll(async () => {
  await world.stop()
  await target.close()
})

async function send(socket: Socket): Promise<void> {
  for (let i = 0; i < MEGABYTES; i++) if (!socket.write(MEGABYTE)) await once(socket, 'drain')
  socket.end()
}

/** @returns the hash of all that came; kills the hub when a third of it has, and starts another one */
async function receive(socket: Socket): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  let restarted: Promise<void> | undefined
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
    if (bytes > (MEGABYTES * MEGABYTE.length) / 3) restarted ??= restart()
  }
  await restarted
  return hash.digest('hex')
}

async function restart(): Promise<void> {
  await world.hub.stop('SIGKILL')
  await world.restartHub()
}

test('a download goes on over a hub that is killed and started again', async () => {
  onTarget = (socket) => void send(socket)
  expect(await receive(connect(port, '127.0.0.1'))).toBe(EXPECTED)
})

test('an upload goes on over a hub that is killed and started again', async () => {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  onTarget = resolve
  const client = connect(port, '127.0.0.1')
  const sent = send(client)
  expect(await receive(await promise)).toBe(EXPECTED)
  await sent
  client.destroy()
})
