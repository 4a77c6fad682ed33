import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { serveStream } from '../../src/agent/serve-stream.ts'
import { HubLink } from '../../src/hub-client/link/hub-link.ts'
import { reach } from '../../src/reach/reach.ts'
import { hubInProcess, member, type TestHub } from '../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { serveTcp } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { Cable } from './helpers/cable.ts'

const cables: Cable[] = []
afterEach(() => Promise.all(cables.splice(0).map((cable) => cable.close())))

interface Tunnel {
  readonly hub: Awaited<ReturnType<typeof hubInProcess>>
  /** Between the agent and the hub, and between `reach` and the hub. */
  readonly cables: Record<'agent' | 'reach', Cable>
  readonly link: HubLink
  /** What the next connection to the target does. */
  onTarget: (socket: Socket) => void
  dial(): Socket
}

async function cableTo({ hub }: TestHub): Promise<Cable> {
  const cable = await Cable.to(hub.port)
  cables.push(cable)
  return cable
}

/** A target, its agent, the hub and `reach`, with a cable on either side of the hub. */
async function tunnel(
  options: { resumeMs?: number; holdMs?: number; folder?: string } = {},
): Promise<Tunnel> {
  const { resumeMs = 30_000, holdMs = 15_000 } = options
  const hub = await hubInProcess(options.folder, { resumeMs })
  const [agent, reached] = [await cableTo(hub), await cableTo(hub)]
  const target = await serveTcp((socket) => it.onTarget(socket))
  const services = [{ name: 'web', host: '127.0.0.1', port: target.port }]
  const stop = new AbortController()
  const over: Promise<unknown>[] = []
  onTestFinished(async () => {
    stop.abort()
    await Promise.allSettled(over)
    await target.close()
  })
  const common = { version: '0.1.0', log: () => {}, resumeMs }
  const config = { ...(await member(hub)), hub: `http://127.0.0.1:${agent.port}` }
  const byName = new Map(services.map((service) => [service.name, service]))
  const link = new HubLink({
    ...common,
    config,
    role: 'agent',
    onStream: (stream) => serveStream(stream, byName, () => {}),
    onConnected: () => void link.offer(services),
  })
  over.push(link.run(stop.signal))
  expect(await link.whenConnected(30_000)).toBe(true)
  await until(() => link.offer(services))
  const isUp = Promise.withResolvers<void>()
  const { services: reachedServices, ended } = await reach(
    {
      ...common,
      log: (line) => line.includes('Connected to hub') && isUp.resolve(),
      config: { ...(await member(hub)), hub: `http://127.0.0.1:${reached.port}` },
      services: [{ name: 'web', port: 0 }],
      bind: '127.0.0.1',
      holdMs,
    },
    stop.signal,
  )
  const { port } = reachedServices[0]!
  over.push(ended)
  // Before it is, a client waits for holdMs and no longer.
  await isUp.promise
  const it: Tunnel = {
    hub,
    cables: { agent, reach: reached },
    link,
    onTarget: (socket) => socket.destroy(),
    dial() {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => {})
      return socket
    },
  }
  return it
}

/** A client's connection, and the one that the target gets for it, with some bytes each way. */
async function joined(it: Tunnel): Promise<{ client: Socket; served: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  it.onTarget = resolve
  const client = it.dial()
  client.write('hello')
  const served = await promise
  await once(served, 'data')
  served.write('hello')
  await once(client, 'data')
  return { client, served }
}

/** How a connection came to its end, as the program at it sees it: `end`, or the error's code. */
async function ending(socket: Socket): Promise<string> {
  socket.resume()
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.once('end', () => resolve('end'))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  return promise
}

/** All that comes. Unlike stream/consumers it leaves the socket's other direction alone. */
async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Calls back each time that so many more bytes have come. */
function every(socket: Socket, bytes: number, then: () => void): void {
  let [seen, next] = [0, bytes]
  socket.on('data', (chunk: Buffer) => {
    seen += chunk.length
    if (seen < next) return
    next += bytes
    then()
  })
}

test.each(['agent', 'reach'] as const)(
  'a cable of the %s that is cut again and again costs a transfer no byte, in either direction',
  async (side) => {
    const it = await tunnel()
    const { client, served } = await joined(it)
    const [up, down] = [randomBytes(20_000_000), randomBytes(20_000_000)]
    let cuts = 0
    every(client, 4_000_000, () => {
      cuts++
      it.cables[side].cut()
      setTimeout(() => it.cables[side].fix(), 50)
    })
    client.end(up)
    served.end(down)
    const [atTarget, atClient] = await Promise.all([received(served), received(client)])
    expect(hashOf(atTarget)).toBe(hashOf(up))
    expect(hashOf(atClient)).toBe(hashOf(down))
    expect(cuts).toBeGreaterThan(2)
  },
)

test('a connection without traffic goes on after both cables were cut', async () => {
  const it = await tunnel()
  const { client, served } = await joined(it)
  for (const cable of Object.values(it.cables)) cable.cut()
  await until(() => it.link.state.state !== 'connected')
  // What is sent meanwhile arrives, too.
  client.write('are you there?')
  for (const cable of Object.values(it.cables)) cable.fix()
  expect(String((await once(served, 'data'))[0])).toBe('are you there?')
  served.end('yes')
  expect(String((await once(client, 'data'))[0])).toBe('yes')
  client.end()
  expect(await ending(served)).toBe('end')
})

test('when the time is over, both ends of a connection see a reset, and nothing is left', async () => {
  const it = await tunnel({ resumeMs: 200 })
  const { client, served } = await joined(it)
  for (const cable of Object.values(it.cables)) cable.cut()
  expect(await Promise.all([ending(client), ending(served)])).toEqual(['ECONNRESET', 'ECONNRESET'])
  expect(it.link.streamCount).toBe(0)
})

test.each(['agent', 'reach'] as const)(
  'a cable of the %s that stays cut for too long is a reset at both ends, though the other one is whole',
  async (side) => {
    const it = await tunnel({ resumeMs: 200 })
    const { client, served } = await joined(it)
    it.cables[side].cut()
    expect(await Promise.all([ending(client), ending(served)])).toEqual(['ECONNRESET', 'ECONNRESET'])
  },
)

test('a client that resets its connection while a cable is cut is a reset at the service once it is fixed', async () => {
  const it = await tunnel()
  const { client, served } = await joined(it)
  it.cables.reach.cut()
  client.resetAndDestroy()
  it.cables.reach.fix()
  expect(await ending(served)).toBe('ECONNRESET')
})

test('a new connection waits while the link is down, and is carried once it is up', async () => {
  const it = await tunnel()
  const { client } = await joined(it)
  it.cables.reach.cut()
  it.onTarget = (socket) => socket.pipe(socket)
  const waiting = it.dial()
  waiting.end('hello')
  await once(waiting, 'connect')
  it.cables.reach.fix()
  expect(String(await buffer(waiting))).toBe('hello')
  client.destroy()
})

test('one that has said all while it waits, and be it nothing, has its end at the service', async () => {
  const it = await tunnel({ resumeMs: 100 })
  const { client } = await joined(it)
  it.cables.reach.cut()
  await ending(client)
  it.onTarget = (socket) => socket.on('end', () => socket.end('bye')).resume()
  const waiting = it.dial()
  waiting.end()
  await once(waiting, 'connect')
  it.cables.reach.fix()
  expect(String(await buffer(waiting))).toBe('bye')
})

test('a new connection is reset when the link stays down', async () => {
  const it = await tunnel({ holdMs: 100, resumeMs: 100 })
  const { client } = await joined(it)
  it.cables.reach.cut()
  await ending(client)
  expect(await ending(it.dial())).toBe('ECONNRESET')
})

test('a hub that ends in good order and starts again costs a connection nothing', async () => {
  const folder = scratchFolder()
  const it = await tunnel({ folder })
  const { client, served } = await joined(it)
  const { port } = it.hub.hub
  await it.hub.close()
  client.write('still there?')
  await hubInProcess(folder, { port })
  expect(String((await once(served, 'data'))[0])).toBe('still there?')
  served.end('yes')
  client.end()
  expect(String(await buffer(client))).toBe('yes')
})
