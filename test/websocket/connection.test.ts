import { on, once } from 'node:events'
import type { Socket } from 'node:net'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocketConnection } from '../../src/websocket/connection.ts'
import { encodeClose } from '../../src/websocket/frames/close-frame.ts'
import { OPCODE } from '../../src/websocket/frames/frame-header.ts'
import type { TransportOptions } from '../../src/websocket/transport.ts'
import { filler, frame } from './helpers/frame.ts'
import { Recorder } from './helpers/recorder.ts'
import { Sockets } from './helpers/sockets.ts'

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
const MAX_MESSAGE_BYTES = 100_000

let sockets: Sockets
const connections: WebSocketConnection[] = []
beforeAll(async () => {
  sockets = await Sockets.start()
})
afterEach(() => {
  for (const connection of connections.splice(0)) connection.terminate()
})
afterAll(() => sockets.close())

function open(socket: Socket, options: Omit<TransportOptions, 'maxMessageBytes'>) {
  const connection = new WebSocketConnection(socket, { ...options, maxMessageBytes: MAX_MESSAGE_BYTES })
  connections.push(connection)
  return connection
}

/** A connection, and the other side of its socket, which speaks in bytes. */
async function withPeer(role: 'client' | 'server', options: { masks?: boolean } = {}) {
  const pair = await sockets.pair()
  const peer = role === 'client' ? pair.server : pair.client
  const socket = role === 'client' ? pair.client : pair.server
  const connection = open(socket, { role, ...options })
  const recorder = new Recorder()
  connection.attach(recorder)
  /** A frame as the peer's role demands it. */
  const say = (opcode: number, payload: Buffer = Buffer.alloc(0)) =>
    peer.write(frame({ opcode, payload, key: role === 'server' ? KEY : undefined }))
  return { connection, recorder, peer, socket, say }
}

/** Both ends are ours. */
async function bothEnds(masks: boolean) {
  const pair = await sockets.pair()
  const [client, server] = [
    open(pair.client, { role: 'client', masks }),
    open(pair.server, { role: 'server' }),
  ]
  const [atClient, atServer] = [new Recorder(), new Recorder()]
  client.attach(atClient)
  server.attach(atServer)
  return { client, server, atClient, atServer, pair }
}

/** What the socket reads, as soon as there is so much. */
async function read(socket: Socket, bytes: number): Promise<Buffer> {
  for (;;) {
    const chunk: unknown = socket.read(bytes)
    if (chunk instanceof Buffer) return chunk
    await once(socket, 'readable')
  }
}

/** All that the socket still reads. */
async function rest(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

describe.for([
  ['an all-zero key', false],
  ['random keys', true],
] as const)('with %s', ([, masks]) => {
  test('what is sent arrives, in order, both ways', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(300), fc.constantFrom(0, 125, 126, 65_535, 65_536, 65_542)), {
      maxLength: 10,
    })
    const cuts = fc.array(fc.nat(), { maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(sizes, sizes, cuts, async (toServer, toClient, cuts) => {
        const { client, server, atClient, atServer } = await bothEnds(masks)
        for (const [from, sizes] of [
          [client, toServer],
          [server, toClient],
        ] as const) {
          for (const size of sizes) {
            const message = filler(size)
            const ends = [...cuts.map((at) => at % (size + 1)), size].toSorted((a, b) => a - b)
            const chunks = ends.map((end, i) => message.subarray(ends[i - 1] ?? 0, end))
            from.send(
              chunks.filter(({ length }) => length > 0),
              size,
            )
          }
        }
        expect(await atServer.come(toServer.length)).toEqual(toServer.map(filler))
        expect(await atClient.come(toClient.length)).toEqual(toClient.map(filler))
        client.terminate()
        await Promise.all([atClient.ended, atServer.ended])
      }),
      { numRuns: 40 },
    )
  })

  test('what is sent is not changed', async () => {
    const { client, atServer } = await bothEnds(masks)
    const chunks = [filler(40), filler(1000)]
    client.send(chunks, 1040)
    await atServer.come(1)
    expect(chunks).toEqual([filler(40), filler(1000)])
  })
})

describe('§5.1 and §5.3', () => {
  test('a client masks, with another key each time', async () => {
    const { connection, peer } = await withPeer('client')
    connection.send([filler(64)], 64)
    connection.send([filler(64)], 64)
    const [first, second] = [await read(peer, 70), await read(peer, 70)]
    expect(first.subarray(0, 2)).toEqual(Buffer.from([0x82, 0x80 | 64]))
    expect(first.subarray(2, 6)).not.toEqual(second.subarray(2, 6))
    expect(first.subarray(6)).not.toEqual(filler(64))
    expect(first).toEqual(frame({ opcode: OPCODE.BINARY, payload: filler(64), key: first.subarray(2, 6) }))
  })

  test('one that need not sends a key of zeros', async () => {
    const { connection, peer } = await withPeer('client', { masks: false })
    connection.send([filler(64)], 64)
    const expected = frame({ opcode: OPCODE.BINARY, payload: filler(64), key: Buffer.alloc(4) })
    expect(await read(peer, 70)).toEqual(expected)
  })

  test('a server does not mask', async () => {
    const { connection, peer } = await withPeer('server')
    connection.send([filler(40), filler(24)], 64)
    expect((await read(peer, 66)).subarray(0, 2)).toEqual(Buffer.from([0x82, 64]))
  })

  test.for([
    ['server', undefined, 'a frame without a mask'],
    ['client', KEY, 'a masked frame'],
  ] as const)('a %s refuses what its peer may not send', async ([role, key, reason]) => {
    const { recorder, peer } = await withPeer(role, { masks: false })
    peer.write(frame({ opcode: OPCODE.BINARY, payload: filler(3), key }))
    const payload = encodeClose(1002, reason)
    const zeros = role === 'client' ? Buffer.alloc(4) : undefined
    expect(await rest(peer)).toEqual(frame({ opcode: OPCODE.CLOSE, payload, key: zeros }))
    peer.end()
    expect(await recorder.ended).toBe(reason)
    expect(recorder.messages).toEqual([])
  })
})

describe('what came with the upgrade', () => {
  test('is handed over first, and after attach has returned', async () => {
    const { client, server } = await sockets.pair()
    const head = frame({ opcode: OPCODE.BINARY, payload: filler(10), key: KEY })
    server.unshift(Buffer.concat([head, head.subarray(0, 3)]))
    const connection = open(server, { role: 'server' })
    client.write(head.subarray(3))
    const recorder = new Recorder()
    connection.attach(recorder)
    expect(recorder.messages).toEqual([])
    expect(await recorder.come(2)).toEqual([filler(10), filler(10)])
  })

  test('and whatever follows waits until somebody attaches', async () => {
    const { client, server } = await sockets.pair()
    const connection = open(server, { role: 'server' })
    client.write(frame({ opcode: OPCODE.BINARY, payload: filler(10), key: KEY }))
    client.end(frame({ opcode: OPCODE.CLOSE, payload: encodeClose(1000, 'bye'), key: KEY }))
    // The answer to nothing: it only shows that the bytes above have had the time to come.
    connection.send([], 0)
    await once(client, 'readable')
    const recorder = new Recorder()
    connection.attach(recorder)
    client.resume()
    expect(await recorder.ended).toBe('bye')
    expect(recorder.joined).toEqual([filler(10)])
  })
})

describe('send', () => {
  test('says when the kernel took it', async () => {
    const { client, atServer } = await bothEnds(false)
    await new Promise<void>((written) => client.send([filler(10), filler(20)], 30, written))
    await new Promise<void>((written) => client.send([], 0, written))
    expect((await atServer.come(2)).map(({ length }) => length)).toEqual([30, 0])
  })

  test('also if it was lost', async () => {
    const { client, pair, atClient } = await bothEnds(false)
    pair.client.cork()
    const lost = new Promise<void>((written) => client.send([filler(10)], 10, written))
    client.terminate()
    await lost
    await new Promise<void>((written) => client.send([filler(10)], 10, written))
    expect(await atClient.ended).toBe('closed')
  })

  test('is one write for a message, or for all that are sent while the socket is corked', async () => {
    const { client, server, atServer, pair } = await bothEnds(false)
    const reads: number[] = []
    pair.server.on('data', (chunk) => reads.push(chunk.length))
    client.send([filler(10), filler(20)], 30)
    await atServer.come(1)
    pair.client.cork()
    client.send([filler(10), filler(20)], 30)
    client.send([filler(5)], 5)
    expect(pair.client.writableCorked).toBe(1)
    pair.client.uncork()
    await atServer.come(3)
    expect(reads).toEqual([36, 36 + 11])
    expect(server.isOpen).toBe(true)
  })
})

describe('§5.5.2 and §5.5.3', () => {
  test('a PING is answered with what it carried, within a fragmented message too', async () => {
    const { peer, recorder, connection } = await withPeer('server')
    peer.write(frame({ opcode: OPCODE.BINARY, payload: filler(3), isFinal: false, key: KEY }))
    peer.write(frame({ opcode: OPCODE.PING, payload: filler(125), key: KEY }))
    expect(await read(peer, 127)).toEqual(frame({ opcode: OPCODE.PONG, payload: filler(125) }))
    peer.write(frame({ opcode: OPCODE.PING, key: KEY }))
    expect(await read(peer, 2)).toEqual(frame({ opcode: OPCODE.PONG }))
    peer.write(frame({ opcode: OPCODE.CONTINUATION, payload: filler(2), key: KEY }))
    expect(await recorder.come(1)).toEqual([Buffer.concat([filler(3), filler(2)])])
    expect(connection.isOpen).toBe(true)
  })

  test('a PONG that nobody asked for is ignored', async () => {
    const { say, recorder, connection } = await withPeer('client')
    say(OPCODE.PONG, filler(3))
    say(OPCODE.BINARY, filler(4))
    expect(await recorder.come(1)).toEqual([filler(4)])
    expect(connection.isOpen).toBe(true)
  })

  test('a peer that asks and does not read has one answer waiting, and gets the latest when it reads', async () => {
    const { peer, say, socket, connection, recorder } = await withPeer('server')
    // More than a loopback connection holds, so that it stays here.
    const ballast = Buffer.alloc(32 * 1024 * 1024)
    connection.send([ballast], ballast.length)
    for (let i = 0; i < 5000; i++) say(OPCODE.PING, filler(100))
    say(OPCODE.PING, Buffer.from('latest'))
    say(OPCODE.BINARY)
    await recorder.come(1)
    expect(socket.writableLength).toBeLessThan(ballast.length + 10 + 102 + 1)
    const latest = frame({ opcode: OPCODE.PONG, payload: Buffer.from('latest') })
    const tail = 102 + latest.length
    let bytes = 0
    let last = Buffer.alloc(0)
    for await (const [chunk] of on(peer, 'data') as AsyncIterable<[Buffer]>) {
      bytes += chunk.length
      last = Buffer.concat([last, chunk]).subarray(-tail)
      if (bytes >= 10 + ballast.length + tail) break
    }
    expect(last.subarray(102)).toEqual(latest)
  })
})

describe('§5.5.1 and §7', () => {
  test('a close frame is answered with its code, and the server ends the socket', async () => {
    const { peer, say, recorder, connection } = await withPeer('server')
    say(OPCODE.CLOSE, encodeClose(4001, 'enough\n'))
    expect(await rest(peer)).toEqual(frame({ opcode: OPCODE.CLOSE, payload: encodeClose(4001) }))
    expect(await recorder.ended).toBe('enough')
    expect(connection.isOpen).toBe(false)
  })

  test('one without a code with none', async () => {
    const { peer, say, recorder } = await withPeer('server')
    say(OPCODE.CLOSE)
    expect(await rest(peer)).toEqual(frame({ opcode: OPCODE.CLOSE }))
    expect(await recorder.ended).toBe('closed without a code')
  })

  test('a client answers, and leaves the end of the socket to the server', async () => {
    const { peer, say, recorder } = await withPeer('client', { masks: false })
    let ended = false
    peer.once('end', () => (ended = true))
    say(OPCODE.CLOSE, encodeClose(1001))
    const answer = frame({ opcode: OPCODE.CLOSE, payload: encodeClose(1001), key: Buffer.alloc(4) })
    expect(await read(peer, answer.length)).toEqual(answer)
    expect(ended).toBe(false)
    peer.end()
    peer.resume()
    expect(await recorder.ended).toBe('closed with code 1001')
  })

  test.for(['client', 'server'] as const)('when the %s says it, both ends close', async (role) => {
    const ends = await bothEnds(true)
    ends[role].close(1000)
    expect(ends[role].isOpen).toBe(false)
    expect(await ends.atClient.ended).toBe('closed with code 1000')
    expect(await ends.atServer.ended).toBe('closed with code 1000')
  })

  test('when both say it at once, too', async () => {
    const { client, server, atClient, atServer } = await bothEnds(true)
    client.close(1000)
    server.close(1001)
    expect(await atClient.ended).toBe('closed with code 1001')
    expect(await atServer.ended).toBe('closed with code 1000')
  })

  test('what was sent before it arrives, and what is sent after it is not sent', async () => {
    const { client, atServer } = await bothEnds(true)
    client.send([filler(90_000)], 90_000)
    client.close(1000)
    client.send([filler(3)], 3)
    client.close(1001)
    expect(await atServer.ended).toBe('closed with code 1000')
    expect(atServer.joined).toEqual([filler(90_000)])
  })

  test('frames after a close frame are ignored, wrong ones too', async () => {
    const { peer, recorder } = await withPeer('server')
    const closing = frame({ opcode: OPCODE.CLOSE, payload: encodeClose(1000, 'bye'), key: KEY })
    peer.write(Buffer.concat([closing, frame({ opcode: OPCODE.BINARY, key: KEY }), frame({ opcode: 3 })]))
    expect(await rest(peer)).toEqual(frame({ opcode: OPCODE.CLOSE, payload: encodeClose(1000) }))
    expect(await recorder.ended).toBe('bye')
    expect(recorder.messages).toEqual([])
  })

  test('messages that come after we said close are not handed over', async () => {
    const { peer, say, recorder, connection } = await withPeer('server')
    connection.close(1000)
    say(OPCODE.BINARY, filler(3))
    say(OPCODE.PING)
    say(OPCODE.CLOSE, encodeClose(1000))
    expect(await rest(peer)).toEqual(frame({ opcode: OPCODE.CLOSE, payload: encodeClose(1000) }))
    await recorder.ended
    expect(recorder.messages).toEqual([])
  })

  test.for(['client', 'server'] as const)('a peer that does not answer the %s is dropped', async (role) => {
    const { recorder, connection, peer } = await withPeer(role)
    peer.on('error', () => {})
    peer.resume()
    connection.close(1000)
    expect(await recorder.ended).toBe('closed')
  })

  test('a server that answers, and does not end the socket, is dropped', async () => {
    const { recorder, say, peer } = await withPeer('client')
    peer.on('error', () => {})
    peer.resume()
    say(OPCODE.CLOSE, encodeClose(1000, 'bye'))
    expect(await recorder.ended).toBe('bye')
  })

  test.for([
    ['a code that none may carry', [3, 236], 1002, 'a close frame with code 1004'],
    ['one byte', [3], 1002, 'a close frame of one byte'],
    ['a reason that is not UTF-8', [3, 232, 0xff], 1007, 'a close frame whose reason is not UTF-8'],
  ] as const)('a close frame with %s is a breach', async ([, payload, code, reason]) => {
    const { peer, say, recorder } = await withPeer('server')
    say(OPCODE.CLOSE, Buffer.from(payload))
    expect(await rest(peer)).toEqual(frame({ opcode: OPCODE.CLOSE, payload: encodeClose(code, reason) }))
    peer.end()
    expect(await recorder.ended).toBe(reason)
  })
})

describe('§7.1.7: the connection is failed', () => {
  test.for([
    ['reserved bits', frame({ opcode: 2, reserved: 4, key: KEY }), 1002, 'a frame with reserved bits'],
    ['a text', frame({ opcode: 1, key: KEY }), 1003, 'a text message'],
    [
      'too much',
      frame({ opcode: 2, payload: filler(MAX_MESSAGE_BYTES + 1), key: KEY }),
      1009,
      'a message of 100001 bytes',
    ],
  ] as const)('by %s', async ([, bytes, code, reason]) => {
    const { peer, recorder, connection } = await withPeer('server')
    peer.write(bytes)
    expect(await rest(peer)).toEqual(frame({ opcode: OPCODE.CLOSE, payload: encodeClose(code, reason) }))
    expect(connection.isOpen).toBe(false)
    expect(await recorder.ended).toBe(reason)
    expect(recorder.reasons).toHaveLength(1)
  })

  test('by random bytes, which never do anything else', async () => {
    const first = fc.option(fc.constantFrom(0x82, 0x02, 0x80, 0x89, 0x88))
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        first,
        fc.constantFrom('client', 'server'),
        async (random, first, role) => {
          const { peer, recorder } = await withPeer(role)
          peer.on('error', () => {})
          peer.resume()
          const bytes = Buffer.from(random)
          if (first !== null && bytes.length > 0) bytes[0] = first
          peer.end(bytes)
          await recorder.ended
          expect(recorder.reasons).toHaveLength(1)
          expect(recorder.reasons[0]).toMatch(/^.{1,123}$/u)
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('a peer that goes without a word', () => {
  test.for([
    ['in the middle of a header', frame({ opcode: 2, payload: filler(500), key: KEY }).subarray(0, 3)],
    ['in the middle of a frame', frame({ opcode: 2, payload: filler(500), key: KEY }).subarray(0, 300)],
    ['in the middle of a message', frame({ opcode: 2, payload: filler(500), isFinal: false, key: KEY })],
    ['between messages', Buffer.alloc(0)],
  ] as const)('%s ends the connection, once', async ([, bytes]) => {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const { peer, recorder, connection, say } = await withPeer('server')
      say(OPCODE.BINARY)
      peer.write(bytes)
      await recorder.come(1)
      peer[leave]()
      const reason = await recorder.ended
      expect(reason).toMatch(leave === 'end' ? /^closed without a close frame$/ : /ECONNRESET/)
      expect(connection.isOpen).toBe(false)
      connection.close(1000)
      connection.terminate()
      await new Promise(setImmediate)
      expect(recorder.reasons).toEqual([reason])
      expect(recorder.messages).toHaveLength(1)
    }
  })
})

test('terminate drops the connection, what is left of the same read too', async () => {
  const { client, server } = await sockets.pair()
  const connection = open(server, { role: 'server' })
  const seen: number[] = []
  const closed = Promise.withResolvers<string>()
  connection.attach({
    message(_chunks, bytes) {
      seen.push(bytes)
      connection.terminate()
    },
    closed: closed.resolve,
  })
  client.on('error', () => {})
  client.resume()
  const message = frame({ opcode: 2, payload: filler(5), key: KEY })
  client.write(Buffer.concat([message, message]))
  expect(await closed.promise).toBe('closed')
  expect(seen).toEqual([5])
})

test('a connection that is paused hands nothing over, and all of it in order once it goes on, to the close behind it', async () => {
  const pair = await sockets.pair()
  const connection = open(pair.server, { role: 'server' })
  const [heard, paused]: [string[], string[][]] = [[], []]
  const { promise: closed, resolve } = Promise.withResolvers<string>()
  connection.attach({
    message(chunks) {
      heard.push(Buffer.concat(chunks).toString())
      connection.pause()
      setImmediate(() => {
        paused.push([...heard])
        connection.resume()
      })
    },
    closed: resolve,
  })
  const texts = Array.from({ length: 200 }, (_, index) => `message ${index}`)
  const frames = texts.map((text) => frame({ opcode: OPCODE.BINARY, payload: Buffer.from(text), key: KEY }))
  const bye = frame({ opcode: OPCODE.CLOSE, payload: encodeClose(1000, 'bye'), key: KEY })
  pair.client.write(Buffer.concat([...frames, bye, Buffer.from('and rubbish')]))
  pair.client.end()
  expect(await closed).toBe('bye')
  expect(heard).toEqual(texts)
  // One at a time, though they came in one read.
  expect(paused).toEqual(texts.map((_, index) => texts.slice(0, index + 1)))
})
