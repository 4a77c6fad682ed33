import { once } from 'node:events'
import { Agent, createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { requestWebSocket } from '../../src/websocket/client-handshake.ts'
import { ServerHandshake } from '../../src/websocket/server-handshake.ts'
import type { Transport } from '../../src/websocket/transport.ts'
import { filler } from './frame.ts'
import { Recorder } from './recorder.ts'

const PROTOCOL = 'example.v1'
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 65_542]
const MAX_MESSAGE_BYTES = 100_000

interface Ends {
  readonly ours: Transport
  readonly recorder: Recorder
  /** Of the ws package. */
  readonly theirs: WebSocket
}

let server: Server
let handshake: ServerHandshake
const url = () => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
const foreign = new WebSocketServer({ noServer: true, handleProtocols: () => PROTOCOL })
beforeAll(async () => {
  handshake = await ServerHandshake.load(PROTOCOL, MAX_MESSAGE_BYTES, 'X-Hub: one')
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

async function asServer(): Promise<Ends> {
  const accepted = Promise.withResolvers<Transport>()
  server.once('upgrade', (asked, socket: Socket, head) => {
    accepted.resolve(handshake.accept(asked, socket, head)!)
  })
  const theirs = new WebSocket(url(), PROTOCOL)
  await once(theirs, 'open')
  return attached(await accepted.promise, theirs)
}

function asClient(masks: boolean) {
  return async (): Promise<Ends> => {
    const accepted = Promise.withResolvers<WebSocket>()
    server.once('upgrade', (asked, socket, head) =>
      foreign.handleUpgrade(asked, socket, head, accepted.resolve),
    )
    const { transport } = await requestWebSocket({
      url: url(),
      agent: new Agent(),
      headers: {},
      protocol: PROTOCOL,
      masks,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      signal: AbortSignal.timeout(30_000),
      check: () => {},
    })
    return attached(transport!, await accepted.promise)
  }
}

function attached(ours: Transport, theirs: WebSocket): Ends {
  const recorder = new Recorder()
  ours.attach(recorder)
  theirs.on('error', () => {})
  return { ours, recorder, theirs }
}

test.for([
  ['our server and the client of ws', asServer],
  ['our client and the server of ws', asClient(true)],
  ['our client without masks and the server of ws', asClient(false)],
] as const)('%s understand each other', async ([, open]) => {
  const { ours, recorder, theirs } = await open()
  const received: Buffer[] = []
  const all = Promise.withResolvers<void>()
  theirs.on('message', (data: Buffer) => {
    received.push(data)
    if (received.length === SIZES.length) all.resolve()
  })
  for (const size of SIZES) {
    theirs.send(filler(size))
    const [message, middle] = [filler(size), size >> 1]
    ours.send(
      [message.subarray(0, middle), message.subarray(middle)].filter(({ length }) => length > 0),
      size,
    )
  }
  expect(await recorder.come(SIZES.length)).toEqual(SIZES.map(filler))
  await all.promise
  expect(received).toEqual(SIZES.map(filler))

  const ponged = once(theirs, 'pong')
  theirs.send(filler(70_000), { fin: false })
  theirs.ping('are you there')
  theirs.send(filler(30_000), { fin: true })
  expect(String((await ponged)[0])).toBe('are you there')
  expect((await recorder.come(SIZES.length + 1)).at(-1)).toEqual(
    Buffer.concat([filler(70_000), filler(30_000)]),
  )

  const closed = once(theirs, 'close')
  theirs.close(4002, 'done')
  expect((await closed)[0]).toBe(4002)
  expect(await recorder.ended).toBe('done')
})

test.for([
  ['server', asServer],
  ['client', asClient(true)],
] as const)('when our %s closes, ws hears the code and answers', async ([, open]) => {
  const { ours, recorder, theirs } = await open()
  const closed = once(theirs, 'close')
  ours.close(1001)
  expect((await closed)[0]).toBe(1001)
  expect(await recorder.ended).toBe('closed with code 1001')
})

test.for([
  ['a text', (theirs: WebSocket) => theirs.send('text'), 1003, 'a text message'],
  ['too much', (theirs: WebSocket) => theirs.send(filler(100_001)), 1009, 'a message of 100001 bytes'],
] as const)('ws is told why %s is refused', async ([, send, code, reason]) => {
  for (const open of [asServer, asClient(true)]) {
    const { recorder, theirs } = await open()
    const closed = once(theirs, 'close')
    send(theirs)
    const [heard, text] = await closed
    expect([heard, String(text)]).toEqual([code, reason])
    expect(await recorder.ended).toBe(reason)
  }
})
