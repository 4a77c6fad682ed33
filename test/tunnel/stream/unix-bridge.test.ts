import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { serveStream } from '../../../src/agent/serve-stream.ts'
import { bridge } from '../../../src/tunnel/stream/bridge.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { serveUnix, type TestServer } from '../../helpers/servers.ts'
import { until } from '../../helpers/until.ts'
import { Loopback } from '../helpers/loopback.ts'
import { Relay, type ProcessEnd } from '../helpers/relay.ts'

let loopback: Loopback
let relay: Relay
let target: Pick<TestServer, 'close'>
let entrance: Pick<TestServer, 'close'>
let [targetPath, entrancePath] = ['', '']
/** What the next connection to the target does. */
let onTarget: (socket: Socket) => void
const resets: { code: number; message: string }[] = []

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'pc-'))
  targetPath = path.join(folder, 'target.sock')
  entrancePath = path.join(folder, 'entrance.sock')
  loopback = await Loopback.start()
  target = await serveUnix(targetPath, (socket) => onTarget(socket))
  entrance = await serveUnix(entrancePath, (socket) =>
    bridge(socket, relay.a.mux.open('web'), {
      reset: (code, message) => resets.push({ code, message }),
    }),
  )
})

beforeEach(async () => {
  resets.length = 0
  relay = await Relay.start(loopback)
  serveAt(targetPath)
})

afterEach(() => relay.close())

afterAll(async () => {
  await entrance.close()
  await target.close()
  await loopback.close()
  rmSync(path.dirname(targetPath), { recursive: true, force: true })
})

function serveAt(file: string): void {
  const services = new Map([['web', { name: 'web', path: file }]])
  relay.b.onStream = (stream) => serveStream(stream, services, () => {})
}

/** A client's connection through the tunnel, and the connection that the target gets for it. */
async function joined(): Promise<{ client: Socket; served: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  onTarget = resolve
  const client = dial()
  return { client, served: await promise }
}

function dial(): Socket {
  const client = connect({ path: entrancePath, allowHalfOpen: true })
  client.on('error', () => {})
  return client
}

/** How a connection came to its end, as the program at it sees it: `end`, or the error's code. */
async function ending(socket: Socket): Promise<string> {
  socket.resume()
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.once('end', () => resolve('end'))
  socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
  return promise
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Waits until what an end sends over the only stream stands still: the other end doesn’t read. */
async function standstill({ port }: ProcessEnd): Promise<void> {
  const [end] = port.ends.values()
  let [sent, unchanged] = [0, 0]
  const isStill = () => {
    unchanged = end?.window.room === 0 && end.window.sent === sent ? unchanged + 1 : 0
    sent = end?.window.sent ?? 0
    return unchanged === 20
  }
  await until(isStill, { everyMs: 5 })
}

test('between Unix sockets each direction ends by itself', async () => {
  const asked = await joined()
  asked.client.end('question')
  expect(await text(asked.served)).toBe('question')
  asked.served.end('answer to all of it')
  expect(await text(asked.client)).toBe('answer to all of it')
  const greeted = await joined()
  greeted.served.end('greeting')
  expect(await text(greeted.client)).toBe('greeting')
  greeted.client.end('thanks')
  expect(await text(greeted.served)).toBe('thanks')
  await relay.empty()
  expect(resets).toEqual([])
})

test('all of 10 MB arrives in either direction though the sender closes right behind it', async () => {
  for (const [from, to] of [
    ['client', 'served'],
    ['served', 'client'],
  ] as const) {
    const ends = await joined()
    const bytes = randomBytes(10_000_000)
    ends[from].end(bytes)
    expect(hashOf(await buffer(ends[to]))).toBe(hashOf(bytes))
    ends[to].end()
    await ending(ends[from])
  }
  await relay.empty()
})

test('a client that closes while the service still sends is an error at the service', async () => {
  const { client, served } = await joined()
  served.write(randomBytes(30_000_000))
  await standstill(relay.b)
  client.destroy()
  expect(await ending(served)).toMatch(/^(ECONNRESET|EPIPE)$/)
  await relay.empty()
})

test('a client that is gone while it is not read, since the service doesn’t read, leaves nothing behind', async () => {
  const { client, served } = await joined()
  client.write(randomBytes(30_000_000))
  await standstill(relay.a)
  client.destroy()
  await relay.empty()
  expect(await ending(served)).toMatch(/^(end|ECONNRESET)$/)
})

test('a lost link ends the connection: the client’s next word fails, or what it said last was not read', async () => {
  const { client, served } = await joined()
  client.write('half of a')
  await once(served, 'data')
  relay.a.near.raw.destroy()
  // A Unix socket has no reset, so who only reads can't tell.
  expect(await ending(client)).toBe('end')
  client.write('more')
  expect(await ending(client)).toBe('EPIPE')
  expect(resets.at(-1)?.message).not.toBe('')
})

test('nothing listens at the target, or it is not there, or no socket: the connection ends, and the reason is told', async () => {
  const folder = scratchFolder()
  const gone = await serveUnix(path.join(folder, 'x.sock'), () => {})
  await gone.close()
  for (const [file, code, why] of [
    [path.join(folder, 'x.sock'), 4, 'there is no such file'],
    [path.join(import.meta.filename, 'y'), 5, 'there is no such file'],
    [import.meta.filename, 5, 'it is no socket'],
  ] as const) {
    serveAt(file)
    await ending(dial())
    expect(resets.at(-1)).toEqual({ code, message: `the target unix:${file} can’t be reached: ${why}` })
  }
  await relay.empty()
})
