import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable, type Duplex } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { finished, pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ConnectError } from '../../../src/errors.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { StreamDuplex } from '../../../src/tunnel/stream/stream-duplex.ts'
import type { Stream } from '../../../src/tunnel/stream/stream.ts'
import { until } from '../../helpers/until.ts'
import { Loopback } from '../helpers/loopback.ts'
import { Relay } from '../helpers/relay.ts'

let loopback: Loopback
let relay: Relay

beforeAll(async () => {
  loopback = await Loopback.start()
})
beforeEach(async () => {
  relay = await Relay.start(loopback)
})
afterEach(() => relay.close())
afterAll(() => loopback.close())

/** A stream's opener, and whoever accepts it. */
async function joined(): Promise<{ near: StreamDuplex; far: StreamDuplex }> {
  const { promise, resolve } = Promise.withResolvers<StreamDuplex>()
  relay.b.onStream = (stream) => {
    stream.accept()
    resolve(new StreamDuplex(stream))
  }
  const near = new StreamDuplex(relay.a.mux.open('web'))
  await once(near, 'connect')
  return { near, far: await promise }
}

const hashOf = (chunks: Iterable<Buffer>) => {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/** A stream’s own error, as whoever waits for its end gets it. */
const failureOf = (duplex: Duplex) =>
  finished(duplex).then(
    () => undefined,
    (error: unknown) => error,
  )

test('each direction ends by itself', async () => {
  const { near, far } = await joined()
  near.end('question')
  expect(await text(far)).toBe('question')
  far.end('answer to all of it')
  expect(await text(near)).toBe('answer to all of it')
  await relay.empty()
})

test('any mix of chunks arrives whole and in order, at any pace of the reader, both ways', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(2000), fc.nat(200_000)), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(sizes, sizes, fc.nat(3), async (up, down, slow) => {
      const { near, far } = await joined()
      const bytesOf = (lengths: readonly number[]) =>
        lengths.map((length, at) => Buffer.alloc(length, `${at}:${length} `))
      const send = async (duplex: Duplex, chunks: readonly Buffer[]) => {
        for (const chunk of chunks) {
          // Whoever writes may use the memory again once it is told that the bytes are taken.
          const own = Buffer.from(chunk)
          await new Promise((resolve) => duplex.write(own, resolve))
          own.fill('!')
        }
        duplex.end()
      }
      const receive = async (duplex: Duplex) => {
        const chunks: Buffer[] = []
        // Else Node.js destroys it once all is read, though it may not have sent all yet.
        for await (const chunk of duplex.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          chunks.push(chunk)
          for (let i = 0; i < slow; i++) await turn()
        }
        return hashOf(chunks)
      }
      const [, , upload, download] = await Promise.all([
        send(near, bytesOf(up)),
        send(far, bytesOf(down)),
        receive(far),
        receive(near),
      ])
      expect(upload).toBe(hashOf(bytesOf(up)))
      expect(download).toBe(hashOf(bytesOf(down)))
      await relay.empty()
    }),
    { numRuns: 25 },
  )
})

test('a reset is an error, whatever was sent and read before it, and never a clean end', async () => {
  const ends = fc.record({
    sent: fc.nat(300_000),
    isEnded: fc.boolean(),
    isRead: fc.boolean(),
    how: fc.constantFrom('reset', 'destroy', 'lost link' as const),
  })
  await fc.assert(
    fc.asyncProperty(ends, async ({ sent, isEnded, isRead, how }) => {
      const { near, far } = await joined()
      let ended = false
      near.on('end', () => (ended = true))
      if (isRead) near.resume()
      if (isEnded) near.end()
      far.on('error', () => {})
      far.write(Buffer.alloc(sent))
      await turn()
      const failure = failureOf(near)
      if (how === 'lost link') for (const { near: link } of [relay.a, relay.b]) link.socket.terminate()
      else far.destroy(how === 'reset' ? new Error('broken') : undefined)
      const error = (await failure) as ConnectError
      expect(error).toBeInstanceOf(ConnectError)
      expect(error.code).toBe('CONNECTION_RESET')
      expect(ended).toBe(false)
      if (how === 'lost link') {
        await failureOf(far)
        await relay.close()
        relay = await Relay.start(loopback)
      } else await relay.empty()
    }),
    { numRuns: 25 },
  )
})

test.for([
  ['SERVICE_UNKNOWN', 'SERVICE_UNKNOWN'],
  ['AGENT_OFFLINE', 'AGENT_OFFLINE'],
  ['TARGET_REFUSED', 'TARGET_UNREACHABLE'],
  ['TARGET_UNREACHABLE', 'TARGET_UNREACHABLE'],
  ['LIMIT', 'CONNECTION_RESET'],
] as const)('a refusal by %s is the error %s, and says why', async ([reason, code]) => {
  relay.b.onStream = (stream) => stream.refuse(STREAM_CODES[reason], 'because of rain')
  const near = new StreamDuplex(relay.a.mux.open('web'))
  await expect(once(near, 'connect')).rejects.toMatchObject({
    name: 'ConnectError',
    code,
    message: expect.stringMatching(/"web".*: because of rain$/) as string,
  })
  await relay.empty()
})

test('a reset that came before anyone looked is an error, too', async () => {
  relay.b.onStream = (stream) => stream.refuse(STREAM_CODES.TARGET_REFUSED, '')
  const stream: Stream = relay.a.mux.open('web')
  await until(() => stream.isClosed)
  expect(await failureOf(new StreamDuplex(stream))).toMatchObject({ code: 'TARGET_UNREACHABLE' })
})

test('the far end sends no more than a reader takes, and what waits to be sent is bounded', async () => {
  const { near, far } = await joined()
  let taken = 0
  let isBlocked = false
  const chunk = Buffer.alloc(100_000)
  const push = () => {
    isBlocked = true
    far.write(chunk, (error) => {
      if (error) return
      taken += chunk.length
      isBlocked = false
      push()
    })
  }
  push()
  let before = -1
  await until(
    () => {
      const isStill = isBlocked && taken === before
      before = taken
      return isStill
    },
    { everyMs: 100 },
  )
  expect(taken).toBeLessThan(1_500_000)
  expect(near.readableLength).toBeLessThan(1_000_000)
  // Once it is read, more comes.
  let read = 0
  near.on('data', (bytes: Buffer) => (read += bytes.length))
  await until(() => read > 5_000_000)
  const failure = failureOf(near)
  far.on('error', () => {})
  far.destroy()
  await failure
  await relay.empty()
})

test('one write of any size is carried in pieces, and taken once all of it is on its way', async () => {
  const { near, far } = await joined()
  const bytes = Buffer.alloc(3_000_001, 'abc')
  let isTaken = false
  near.write(bytes, () => (isTaken = true))
  near.end()
  await turn()
  expect(isTaken).toBe(false)
  expect((await buffer(far)).equals(bytes)).toBe(true)
  expect(isTaken).toBe(true)
  far.end()
  near.resume()
  await relay.empty()
})

test('what is read is plain memory, which no other connection uses after it', async () => {
  const { near, far } = await joined()
  far.end(Buffer.alloc(3_000_000, 'abc'))
  const chunks: Buffer[] = []
  for await (const chunk of near as AsyncIterable<Buffer>) chunks.push(chunk)
  // Node.js itself takes any other kind of ArrayBuffer for another size (`buffer()`, `new Blob()`).
  expect(chunks.filter(({ buffer }) => Object.getPrototypeOf(buffer) !== ArrayBuffer.prototype)).toEqual([])
  near.end()
  far.resume()
  await relay.empty()
})

test('destroy resets the far end, and fails the write that was going on', async () => {
  const { near, far } = await joined()
  const written = new Promise((resolve) => near.write(Buffer.alloc(3_000_000), resolve))
  const failure = failureOf(far)
  near.destroy()
  expect(await written).toBeInstanceOf(Error)
  expect(await failure).toMatchObject({ code: 'CONNECTION_RESET' })
  await relay.empty()
})

test('close comes once the far end has read all, and not before', async () => {
  const { near, far } = await joined()
  far.end()
  near.resume()
  near.end(Buffer.alloc(100_000))
  let isClosed = false
  near.on('close', () => (isClosed = true))
  await Promise.all([once(near, 'end'), once(near, 'finish')])
  await turn()
  expect(isClosed).toBe(false)
  far.resume()
  await until(() => isClosed)
  await relay.empty()
})

test('a reset after both ends, of bytes that nobody has read, is told', async () => {
  const { near, far } = await joined()
  far.end()
  near.resume()
  near.end(Buffer.alloc(100_000))
  await Promise.all([once(near, 'end'), once(near, 'finish')])
  far.on('error', () => {})
  far.destroy(new Error('no more'))
  const [error] = (await once(near, 'error')) as [ConnectError]
  expect(error.code).toBe('CONNECTION_RESET')
  await relay.empty()
})

test('it is a stream like any other for pipeline', async () => {
  const { near, far } = await joined()
  const echoing = pipeline(far, far)
  const chunks = Array.from({ length: 200 }, (_, at) => Buffer.alloc(10_000, String(at)))
  const [back] = await Promise.all([buffer(near), pipeline(Readable.from(chunks), near)])
  expect(hashOf([back])).toBe(hashOf(chunks))
  await echoing
  await relay.empty()
})
