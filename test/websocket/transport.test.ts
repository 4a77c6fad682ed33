import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { encodeClose } from '../../src/websocket/frames/close-frame.ts'
import { OPCODE } from '../../src/websocket/frames/frame-header.ts'
import { ownTransport } from '../../src/websocket/own-transport.ts'
import type { Transport, TransportOver } from '../../src/websocket/transport.ts'
import { WS_OPTIONS } from '../../src/websocket/ws-options.ts'
import { wsTransport } from '../bench/transports/ws-transport.ts'
import { filler, frame } from './helpers/frame.ts'
import { Recorder } from './helpers/recorder.ts'

const MAX_MESSAGE_BYTES = 100_000
const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
const LIMITS = { ...WS_OPTIONS, maxPayload: MAX_MESSAGE_BYTES }
const REQUEST = [
  'GET / HTTP/1.1',
  'Host: any',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n')

let server: Server
const upgrades = new WebSocketServer({ ...LIMITS, noServer: true })
const sockets = new Set<Socket>()
beforeAll(async () => {
  server = createServer().on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  server.close()
  await once(server, 'close')
})

const port = () => (server.address() as AddressInfo).port

/** The server's end of the next connection. */
async function accepted(over: TransportOver): Promise<{ transport: Transport; socket: Socket }> {
  return new Promise((resolve) =>
    server.once('upgrade', (request, socket: Socket, head) =>
      upgrades.handleUpgrade(request, socket, head, (ws) => {
        resolve({
          socket,
          transport: over(ws, socket, { role: 'server', maxMessageBytes: MAX_MESSAGE_BYTES }),
        })
      }),
    ),
  )
}

async function dialled(over: TransportOver, masks: boolean): Promise<Transport> {
  const options = { ...LIMITS, ...(!masks && { generateMask: () => {} }) }
  const ws = new WebSocket(`ws://127.0.0.1:${port()}`, options)
  let socket: Socket
  ws.on('upgrade', (response) => (socket = response.socket))
  return new Promise((resolve) =>
    ws.on('open', () =>
      resolve(over(ws, socket, { role: 'client', masks, maxMessageBytes: MAX_MESSAGE_BYTES })),
    ),
  )
}

/** A server's end, and a client that speaks in bytes. @param head what it sends together with its request */
async function withPeer(over: TransportOver, head: Buffer = Buffer.alloc(0)) {
  const upgraded = accepted(over)
  const peer = connect(port(), '127.0.0.1').on('error', () => {})
  peer.setNoDelay(true)
  peer.write(Buffer.concat([Buffer.from(REQUEST), head]))
  const [{ transport, socket }] = await Promise.all([upgraded, once(peer, 'readable')])
  // The response to the request.
  peer.read()
  const recorder = new Recorder()
  transport.attach(recorder)
  const say = (opcode: number, payload: Buffer = Buffer.alloc(0), isFinal = true) =>
    peer.write(frame({ opcode, payload, isFinal, key: KEY }))
  return { transport, socket, peer, recorder, say }
}

/** The code of the close frame that the peer gets, before anything else. */
async function closeCodeAt(peer: Socket): Promise<number> {
  const chunks: Buffer[] = []
  peer.on('data', (chunk) => chunks.push(chunk))
  await once(peer, 'end')
  peer.end()
  const bytes = Buffer.concat(chunks)
  return bytes.readUInt16BE(2)
}

test('nothing of ws stays on a socket that ours took over', async () => {
  const { transport, socket } = await withPeer(ownTransport)
  const kept = Object.getOwnPropertySymbols(socket).map((key): unknown => Reflect.get(socket, key))
  expect(kept.some((value) => value instanceof WebSocket)).toBe(false)
  transport.terminate()
})

describe.for([
  ['ours', ownTransport],
  ['ws', wsTransport],
] as const)('%s', ([, over]) => {
  describe.for([
    ['ours', ownTransport],
    ['ws', wsTransport],
  ] as const)('and %s', ([, other]) => {
    test.for([true, false])('understand each other, with masks: %s', async (masks) => {
      const upgraded = accepted(over)
      const client = await dialled(other, masks)
      const { transport } = await upgraded
      const [atServer, atClient] = [new Recorder(), new Recorder()]
      transport.attach(atServer)
      client.attach(atClient)
      const sizes = [0, 1, 125, 126, 1024, 1025, 32_768, 32_769, 65_535, 65_536, 65_542]
      for (const end of [transport, client]) {
        for (const size of sizes) {
          const message = filler(size)
          const cuts = [0, Math.min(6, size), size >> 1, size].toSorted((a, b) => a - b)
          const chunks = cuts.slice(1).map((cut, i) => message.subarray(cuts[i], cut))
          end.send(
            chunks.filter(({ length }) => length > 0),
            size,
          )
        }
        // In more chunks than a message may have fragments.
        const crumbs = Array.from({ length: 2000 }, (_, i) => Buffer.of(i))
        await new Promise<void>((written) => end.send(crumbs, crumbs.length, written))
      }
      const expected = [...sizes.map(filler), Buffer.from(Array.from({ length: 2000 }, (_, i) => i))]
      expect(await atServer.come(expected.length)).toEqual(expected)
      expect(await atClient.come(expected.length)).toEqual(expected)
      client.close(1000)
      expect(await atServer.ended).toBe('closed with code 1000')
      expect(await atClient.ended).toBe('closed with code 1000')
    })
  })

  test('hands over what came with the request, and after attach has returned', async () => {
    const message = frame({ opcode: OPCODE.BINARY, payload: filler(10), key: KEY })
    const { recorder } = await withPeer(over, message)
    expect(recorder.messages).toEqual([])
    expect(await recorder.come(1)).toEqual([filler(10)])
  })

  test('reads nothing before somebody attaches, and tells whoever comes late that it is closed', async () => {
    const upgraded = accepted(over)
    const client = await dialled(over, false)
    const { transport } = await upgraded
    const recorder = new Recorder()
    client.send([filler(10)], 10)
    client.terminate()
    client.attach(recorder)
    expect(await recorder.ended).toBe('closed')
    const late = new Recorder()
    transport.attach(late)
    expect(await late.ended).toBe('closed without a close frame')
    expect(late.joined).toEqual([filler(10)])
  })

  test('sends all of a batch in one write', async () => {
    const { transport, peer, socket } = await withPeer(over)
    const reads: number[] = []
    peer.on('data', (chunk) => reads.push(chunk.length))
    transport.cork()
    for (let i = 0; i < 3; i++) transport.send([filler(6), filler(5000)], 5006)
    expect(transport.unwrittenBytes).toBeGreaterThan(15_018)
    transport.uncork()
    await new Promise<void>((written) => transport.send([], 0, written))
    expect(socket.writableLength).toBe(0)
    while (reads.reduce((sum, bytes) => sum + bytes, 0) < 15_018) await turn()
    expect(reads[0]).toBeGreaterThan(15_018)
  })

  test('says that a message was written if it was lost, too', async () => {
    const { transport, recorder } = await withPeer(over)
    transport.cork()
    const lost = new Promise<void>((written) => transport.send([filler(10)], 10, written))
    transport.terminate()
    await lost
    await new Promise<void>((written) => transport.send([filler(10)], 10, written))
    expect(await recorder.ended).toBe('closed')
  })

  test('keeps the order of what comes while it is paused, to the close behind it', async () => {
    const { transport, recorder, say } = await withPeer(over)
    transport.pause()
    for (let i = 0; i < 200; i++) say(OPCODE.BINARY, Buffer.of(i))
    say(OPCODE.CLOSE, encodeClose(1000, 'bye\n'))
    for (let i = 0; i < 20; i++) await turn()
    expect(recorder.messages).toEqual([])
    transport.resume()
    expect(await recorder.ended).toBe('bye')
    expect(recorder.joined).toEqual(Array.from({ length: 200 }, (_, i) => Buffer.of(i)))
  })

  test('hands nothing over of what comes after it has said close', async () => {
    const { transport, recorder, say } = await withPeer(over)
    transport.close(1001)
    say(OPCODE.BINARY, filler(10))
    say(OPCODE.CLOSE, encodeClose(1001))
    expect(await recorder.ended).toMatch(/^closed with code 1001$/)
    expect(recorder.messages).toEqual([])
  })

  describe('under attack:', () => {
    test.for([
      ['a fragment more than 64', [...fragments(65)], 1008],
      ['empty fragments without end', [...fragments(1000, 0)], 1008],
      [
        'the head of a message that is too large',
        [frame({ opcode: 2, payload: filler(100_001), key: KEY }).subarray(0, 14)],
        1009,
      ],
      ['fragments that are too large together', [...fragments(3, 50_000)], 1009],
      ['a compressed message', [frame({ opcode: 2, payload: filler(10), reserved: 4, key: KEY })], 1002],
      ['a frame without a mask', [frame({ opcode: 2, payload: filler(10) })], 1002],
      ['a text', [frame({ opcode: 1, payload: filler(10).fill(0x61), key: KEY })], 1003],
      ['a length of 62 bits', [Buffer.from('82ff3fffffffffffffff00000000', 'hex')], 1009],
      ['a ping of 126 bytes', [frame({ opcode: OPCODE.PING, payload: filler(126), key: KEY })], 1002],
      [
        'a close whose reason is not UTF-8',
        [frame({ opcode: OPCODE.CLOSE, payload: Buffer.from('03e8ff', 'hex'), key: KEY })],
        1007,
      ],
    ] as [string, Buffer[], number][])('%s ends it', async ([, bytes, code]) => {
      const { recorder, peer, transport } = await withPeer(over)
      peer.write(Buffer.concat(bytes))
      expect(await closeCodeAt(peer)).toBe(code)
      expect(await recorder.ended).toMatch(/^.{1,123}$/)
      expect(recorder.messages).toEqual([])
      expect(transport.isOpen).toBe(false)
    })

    test('pings whose answers are not read cost next to nothing', async () => {
      const { transport, recorder, socket, say, peer } = await withPeer(over)
      peer.pause()
      // More than a loopback connection holds, so that it stays here.
      const ballast = Buffer.alloc(32 * 1024 * 1024)
      transport.send([ballast], ballast.length)
      for (let i = 0; i < 5000; i++) say(OPCODE.PING, filler(100))
      say(OPCODE.BINARY)
      await Promise.race([recorder.come(1), recorder.ended])
      // Either few are kept, or whoever does so is dropped.
      expect(socket.writableLength).toBeLessThan(ballast.length + 10_000)
    })

    test('bytes that come one by one are a message, or the end, and never kept one by one', async () => {
      const { recorder, socket, peer } = await withPeer(over)
      const message = frame({ opcode: 2, payload: filler(1500), key: KEY })
      for (const byte of message) {
        const before = socket.bytesRead
        peer.write(Buffer.of(byte))
        while (socket.bytesRead === before && !socket.destroyed) await turn()
        if (recorder.reasons.length > 0 || !socket.readable) break
      }
      const [end] = await Promise.race([recorder.come(1), closeCodeAt(peer).then((code) => [code])])
      expect([1008, filler(1500)]).toContainEqual(end)
    })

    test('a peer that never answers a close, and goes on sending, is dropped', async () => {
      const { recorder, transport, peer, say } = await withPeer(over)
      const began = performance.now()
      transport.close(1000)
      const timer = setInterval(() => say(OPCODE.BINARY, filler(1000)), 10)
      await recorder.ended
      clearInterval(timer)
      expect(performance.now() - began).toBeLessThan(20_000)
      expect(recorder.messages).toEqual([])
      peer.destroy()
    })
  })
})

/** The beginning of a message that does not end. */
function* fragments(count: number, bytes = 1): Generator<Buffer> {
  for (let i = 0; i < count; i++) {
    const opcode = i === 0 ? OPCODE.BINARY : OPCODE.CONTINUATION
    yield frame({ opcode, payload: filler(bytes), isFinal: false, key: KEY })
  }
}
