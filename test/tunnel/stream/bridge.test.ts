import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { serveStream } from '../../../src/agent/serve-stream.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { bridge } from '../../../src/tunnel/stream/bridge.ts'
import type { SendWindow } from '../../../src/tunnel/stream/send-window.ts'
import { serveTcp, type TestServer } from '../../helpers/servers.ts'
import { until } from '../../helpers/until.ts'
import { Loopback } from '../helpers/loopback.ts'
import { Relay } from '../helpers/relay.ts'

let loopback: Loopback
let relay: Relay
let target: TestServer
let entrance: TestServer
/** What the next connection to the target does. */
let onTarget: (socket: Socket) => void
const logged: string[] = []
const resets: { code: number; message: string }[] = []

beforeAll(async () => {
  loopback = await Loopback.start()
  target = await serveTcp((socket) => onTarget(socket))
  entrance = await serveTcp((socket) =>
    bridge(socket, relay.a.mux.open('web'), {
      reset: (code, message) => resets.push({ code, message }),
    }),
  )
})

beforeEach(async () => {
  logged.length = 0
  resets.length = 0
  relay = await Relay.start(loopback)
  serveAt(target.port)
})

afterEach(() => relay.close())

afterAll(async () => {
  await entrance.close()
  await target.close()
  await loopback.close()
})

function serveAt(port: number): void {
  const services = new Map([['web', { name: 'web', host: '127.0.0.1', port }]])
  relay.b.onStream = (stream) => serveStream(stream, services, (line) => logged.push(line))
}

/** A client's connection through the tunnel, and the connection that the target gets for it. */
async function joined(): Promise<{ client: Socket; served: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  onTarget = resolve
  const client = dial()
  return { client, served: await promise }
}

function dial(): Socket {
  const client = connect({ port: entrance.port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => {})
  return client
}

/** How a connection came to its end, as the program at it sees it: `end`, or the error's code. */
async function ending(socket: Socket): Promise<string> {
  socket.resume()
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.once('end', () => resolve('end'))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  socket.once('close', () => resolve('closed without a word'))
  return promise
}

/** The hub's view of what the client of the only stream has sent, once that has come to a standstill. */
async function stuckAt(): Promise<SendWindow> {
  const [end] = relay.a.port.ends.values()
  let [sent, unchanged] = [0, 0]
  await until(
    () => {
      unchanged = end?.window.room === 0 && end.window.sent === sent ? unchanged + 1 : 0
      sent = end?.window.sent ?? 0
      return unchanged === 20
    },
    { everyMs: 5 },
  )
  return end!.window
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

test('a client that has sent all may still get an answer', async () => {
  const { client, served } = await joined()
  client.end('question')
  expect(await text(served)).toBe('question')
  served.end('answer to all of it')
  expect(await text(client)).toBe('answer to all of it')
  await relay.empty()
})

test('a service that has sent all may still be sent to', async () => {
  const { client, served } = await joined()
  served.end('greeting')
  expect(await text(client)).toBe('greeting')
  client.write('one, ')
  client.end('two')
  expect(await text(served)).toBe('one, two')
  await relay.empty()
})

test('a connection that is closed without a byte is closed at the service, and leaves nothing behind', async () => {
  const { client, served } = await joined()
  client.end()
  expect(await ending(served)).toBe('end')
  served.end()
  expect(await ending(client)).toBe('end')
  await relay.empty()
})

test('a service that closes first, to a client that never says anything, leaves nothing behind', async () => {
  const { client, served } = await joined()
  served.end('Go away.\n')
  expect(await text(client)).toBe('Go away.\n')
  client.end()
  expect(await ending(served)).toBe('end')
  await relay.empty()
})

test('both ends may close at once', async () => {
  for (let i = 0; i < 20; i++) {
    const { client, served } = await joined()
    client.end('from the client')
    served.end('from the service')
    expect(await Promise.all([text(client), text(served)])).toEqual(['from the service', 'from the client'])
  }
  await relay.empty()
})

test('a client that connects and is gone at once leaves nothing behind', async () => {
  onTarget = (socket) => socket.end()
  for (let i = 0; i < 20; i++) {
    const client = dial()
    await once(client, 'connect')
    client.destroy()
  }
  await relay.empty()
})

test('all of 10 MB arrives in either direction though the sender closes right behind it', async () => {
  for (const [from, to] of [
    ['client', 'served'],
    ['served', 'client'],
  ] as const) {
    const ends = await joined()
    const bytes = randomBytes(10_000_000)
    ends[from].end(bytes)
    const received = await buffer(ends[to])
    expect(hashOf(received)).toBe(hashOf(bytes))
    ends[to].end()
    await ending(ends[from])
  }
  await relay.empty()
})

test('a service that does not read holds up its own connection only, and gets all of it in the end', async () => {
  const stuck = await joined()
  const bytes = randomBytes(64_000_000)
  stuck.client.end(bytes)
  const window = await stuckAt()
  const other = await joined()
  const more = randomBytes(5_000_000)
  other.client.end(more)
  expect(hashOf(await buffer(other.served))).toBe(hashOf(more))
  other.served.end()
  await ending(other.client)
  // What the kernel's buffers hold, and one window.
  expect(window.sent).toBeLessThan(bytes.length / 2)
  expect(stuck.client.writableLength).toBeGreaterThan(0)
  for (const { port } of [relay.a, relay.b]) expect(port.link.backlog).toBeLessThan(1_000_000)

  expect(hashOf(await buffer(stuck.served))).toBe(hashOf(bytes))
  stuck.served.end()
  await ending(stuck.client)
  await relay.empty()
})

test('a client that resets its connection is a reset at the service', async () => {
  const { client, served } = await joined()
  client.write('half of a')
  await once(served, 'data')
  client.resetAndDestroy()
  expect(await ending(served)).toBe('ECONNRESET')
  expect(logged.at(-1)).toMatch(/Connection [0-9a-f]{8} failed: the connection was reset/)
  await relay.empty()
})

test('a service that resets its connection is a reset at the client', async () => {
  const { client, served } = await joined()
  served.write('half of an')
  await once(client, 'data')
  served.resetAndDestroy()
  expect(await ending(client)).toBe('ECONNRESET')
  await relay.empty()
})

test('a client that closes while the service still sends is a reset at the service', async () => {
  const { client, served } = await joined()
  served.write(randomBytes(5_000_000))
  // Whoever has read all that came closes with an end, and not with a reset.
  client.on('readable', () => {})
  await until(() => client.readableLength >= client.readableHighWaterMark && client.bytesRead < 5_000_000)
  client.destroy()
  expect(await ending(served)).toBe('ECONNRESET')
  await relay.empty()
})

test('a client that has sent all, and goes away before it has the whole answer, is a reset at the service', async () => {
  const { client, served } = await joined()
  client.end('question')
  expect(await text(served)).toBe('question')
  served.write(randomBytes(30_000_000))
  await once(client, 'data')
  client.destroy()
  expect(await ending(served)).toMatch(/^(ECONNRESET|EPIPE)$/)
  await relay.empty()
})

test('an end that comes while the service does not read is kept behind the bytes, and leaves nothing behind', async () => {
  const first = await joined()
  first.client.end(randomBytes(30_000_000))
  const { sent } = await stuckAt()
  await Promise.all([ending(first.served), once(first.served.end(), 'finish'), ending(first.client)])
  await relay.empty()
  // About so much fits on the way without being read. Of a little less the end gets there, too, and the last
  // bytes wait.
  let isThere: boolean | undefined
  for (let less = 180_000; !isThere && less < sent; less += 200_000) {
    const { client, served } = await joined()
    const bytes = randomBytes(sent - less)
    client.end(bytes)
    const [end] = relay.a.port.ends.values()
    isThere = await waitFor(() => end?.window.finished || undefined, { timeoutMs: 2000, everyMs: 2 })
    expect(hashOf(await buffer(served))).toBe(hashOf(bytes))
    served.end()
    await ending(client)
    await relay.empty()
  }
  expect(isThere).toBe(true)
})

test('a service that resets while bytes wait for it, and the window is full, is a reset at the client', async () => {
  const { client, served } = await joined()
  client.write(randomBytes(30_000_000))
  await stuckAt()
  served.resetAndDestroy()
  expect(await ending(client)).toBe('ECONNRESET')
  await relay.empty()
})

test('a client that resets while it is not read, since the service doesn’t read, is a reset at the service', async () => {
  const { client, served } = await joined()
  client.write(randomBytes(30_000_000))
  await stuckAt()
  client.resetAndDestroy()
  await relay.empty()
  expect(await ending(served)).toBe('ECONNRESET')
})

test('a link that is lost is a reset at both ends, never an end', async () => {
  for (const lost of ['a', 'b'] as const) {
    const { client, served } = await joined()
    client.write('half of a')
    served.write('half of an')
    await Promise.all([once(served, 'data'), once(client, 'data')])
    const endings = Promise.all([ending(client), ending(served)])
    relay[lost].near.raw.destroy()
    expect(await endings).toEqual(['ECONNRESET', 'ECONNRESET'])
    expect(resets.at(-1)?.message).not.toBe('')
    await relay.close()
    relay = await Relay.start(loopback)
    serveAt(target.port)
  }
})

test('nothing listens at the target: the client’s connection is reset, and the reason is told', async () => {
  const gone = await serveTcp(() => {})
  serveAt(gone.port)
  await gone.close()
  expect(await ending(dial())).toBe('ECONNRESET')
  expect(resets).toEqual([
    { code: 4, message: expect.stringMatching(/^the target 127.0.0.1:\d+ can’t be reached: /) as string },
  ])
  await relay.empty()
})

test('a service that is not exposed any more: the client’s connection is reset, and the reason is told', async () => {
  relay.b.onStream = (stream) => serveStream(stream, new Map(), (line) => logged.push(line))
  expect(await ending(dial())).toBe('ECONNRESET')
  expect(resets).toEqual([{ code: 2, message: '"web" is not exposed there any more' }])
  await relay.empty()
})
