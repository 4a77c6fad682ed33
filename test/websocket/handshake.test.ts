import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, request as ask, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HandshakeError, requestWebSocket } from '../../src/websocket/client-handshake.ts'
import { ServerHandshake } from '../../src/websocket/server-handshake.ts'
import type { Transport } from '../../src/websocket/transport.ts'

/** Of the RFC's example, §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const PROTOCOL = 'example.v1'
const MAX_BYTES = 1000

let server: Server
let handshake: ServerHandshake
/** What the server does with a request to upgrade. */
let answer: (request: IncomingMessage, socket: Socket, head: Buffer) => void
const sockets = new Set<Socket>()

beforeAll(async () => {
  handshake = await ServerHandshake.load(PROTOCOL, MAX_BYTES, 'X-Hub: one')
  server = createServer((_request, response) => response.writeHead(404).end('not here'))
  server.on('connection', (socket) => sockets.add(socket))
  server.on('upgrade', (request, socket: Socket, head) => answer(request, socket, head))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
beforeEach(() => {
  answer = (request, socket, head) => {
    const refusal = handshake.check(request)
    try {
      if (!refusal) handshake.accept(request, socket, head)
    } catch (error) {
      socket.end(`HTTP/1.1 400 No\r\nConnection: close\r\n\r\n${String(error)}`)
    }
    if (!refusal) return
    const lines = [`HTTP/1.1 ${refusal.status} No`, 'Connection: close', ...(refusal.headers ?? [])]
    socket.end([...lines, '', refusal.message].join('\r\n'))
  }
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  server.close()
  await once(server, 'close')
})

const address = () => ({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })

/** Asks by hand. @returns the answer, and its body if it is none to upgrade */
async function asked(changes: Record<string, string | undefined> = {}, method = 'GET') {
  const headers = Object.entries({
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': KEY,
    'sec-websocket-protocol': PROTOCOL,
    ...changes,
  }).filter(([, value]) => value !== undefined)
  const request = ask({
    ...address(),
    method,
    headers: Object.fromEntries(headers) as Record<string, string>,
  })
  request.end()
  const upgraded = (once(request, 'upgrade') as Promise<[IncomingMessage, Socket]>).then(
    ([response, socket]) => {
      socket.destroy()
      return { response, body: '' }
    },
  )
  const answered = (once(request, 'response') as Promise<[IncomingMessage]>).then(async ([response]) => {
    return { response, body: await text(response) }
  })
  return Promise.race([upgraded, answered])
}

describe('§4.2: a request', () => {
  test.for([
    ['as the RFC wants it', {}],
    ['in other letters', { connection: 'keep-alive, UPGRADE', upgrade: 'WebSocket' }],
    ['with other subprotocols besides', { 'sec-websocket-protocol': `other.v1, ${PROTOCOL}` }],
    ['with extensions, which none is chosen of', { 'sec-websocket-extensions': 'permessage-deflate' }],
  ] as const)('%s is accepted, with the header that was given', async ([, changes]) => {
    const { response } = await asked(changes)
    expect(response.statusCode).toBe(101)
    expect(response.headers).toMatchObject({
      upgrade: 'websocket',
      'sec-websocket-accept': ACCEPT,
      'sec-websocket-protocol': PROTOCOL,
      'x-hub': 'one',
    })
    expect(response.headers).not.toHaveProperty('sec-websocket-extensions')
  })

  test.for([
    ['for another upgrade', { upgrade: 'h2c' }],
    ['without a key', { 'sec-websocket-key': undefined }],
    ['with a key of 15 bytes', { 'sec-websocket-key': Buffer.alloc(15).toString('base64') }],
    ['with a key of 17 bytes', { 'sec-websocket-key': Buffer.alloc(17).toString('base64') }],
    ['with two keys', { 'sec-websocket-key': `${KEY}, ${KEY}` }],
    ['with a key that is not base64', { 'sec-websocket-key': `${'*'.repeat(22)}==` }],
    ['without a subprotocol', { 'sec-websocket-protocol': undefined }],
    ['for another subprotocol', { 'sec-websocket-protocol': `${PROTOCOL}.1` }],
    ['with subprotocols that can’t be read', { 'sec-websocket-protocol': `${PROTOCOL},,${PROTOCOL}` }],
  ] as const)('%s is refused', async ([, changes]) => {
    expect((await asked(changes)).response.statusCode).toBe(400)
  })

  test('with another method is refused', async () => {
    const { response } = await asked({}, 'POST')
    expect([response.statusCode, response.headers.allow]).toEqual([405, 'GET'])
  })

  test.for([undefined, '8', '12', '14', '013'])(
    '§4.4: of version %s is told the right one',
    async (version) => {
      const { response } = await asked({ 'sec-websocket-version': version })
      expect([response.statusCode, response.headers['sec-websocket-version']]).toEqual([426, '13'])
    },
  )

  test('of a client that has gone meanwhile is nobody’s', async () => {
    const { promise, resolve } = Promise.withResolvers<Transport | undefined>()
    answer = (request, socket, head) => {
      socket.destroy()
      resolve(handshake.accept(request, socket, head))
    }
    asked().catch(() => {})
    expect(await promise).toBeUndefined()
  })
})

describe('§4.1: a client', () => {
  const open = (path = '/', check: (response: IncomingMessage) => void = () => {}) =>
    requestWebSocket({
      url: `ws://any${path}`,
      agent: Object.assign(new Agent(), { createConnection: () => connect(address()) }),
      headers: { authorization: 'Bearer x' },
      protocol: PROTOCOL,
      maxMessageBytes: MAX_BYTES,
      signal: AbortSignal.timeout(30_000),
      check,
    })

  /** Says 101, with other headers than it should. */
  const answerWith = (changes: Record<string, string | undefined>) => {
    answer = ({ headers }, socket) => {
      const accept = createHash('sha1')
        .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64')
      const lines = Object.entries({
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-accept': accept,
        'sec-websocket-protocol': PROTOCOL,
        ...changes,
      }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
      socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'))
    }
  }

  test('asks with a fresh key each time, with the headers that it was given, and for no extension', async () => {
    const seen: IncomingMessage['headers'][] = []
    const accept = answer
    answer = (request, socket, head) => {
      seen.push(request.headers)
      accept(request, socket, head)
    }
    for (let i = 0; i < 2; i++) await open()
    expect(seen).toEqual([0, 1].map(() => expect.objectContaining({ authorization: 'Bearer x' })))
    const keys = seen.map((headers) => headers['sec-websocket-key']!)
    expect(new Set(keys).size).toBe(2)
    expect(Buffer.from(keys[0]!, 'base64')).toHaveLength(16)
    expect(seen[0]).not.toHaveProperty('sec-websocket-extensions')
  })

  test('takes the right answer, in other letters too', async () => {
    for (const changes of [{}, { upgrade: 'WebSocket', connection: 'upgrade' }]) {
      answerWith(changes)
      const { transport } = await open()
      expect(transport?.isOpen).toBe(true)
      transport?.terminate()
    }
  })

  test.for([
    { upgrade: 'h2c' },
    { 'sec-websocket-accept': undefined },
    { 'sec-websocket-accept': ACCEPT },
    { 'sec-websocket-protocol': undefined },
    { 'sec-websocket-protocol': 'other.v1' },
    { 'sec-websocket-extensions': 'foo' },
    { 'sec-websocket-extensions': 'permessage-deflate' },
  ])('refuses %o', async (changes) => {
    answerWith(changes)
    await expect(open()).rejects.toThrow(HandshakeError)
  })

  test('hands over an answer in HTTP, with its body', async () => {
    answer = (_request, socket) => socket.end('HTTP/1.1 403 No\r\nConnection: close\r\n\r\nnot you')
    const reply = await open()
    if (reply.transport) throw new Error('it was opened')
    expect([reply.response.statusCode, await text(reply.response)]).toEqual([403, 'not you'])
  })

  test('shows an answer to upgrade first, and ends what is not wanted', async () => {
    let socket: Socket | undefined
    const refuse = (response: IncomingMessage) => {
      socket = response.socket
      throw new Error(`not of ${String(response.headers['x-hub'])}`)
    }
    await expect(open('/', refuse)).rejects.toThrow('not of one')
    expect(socket?.destroyed).toBe(true)
  })

  test('says what the system says of a connection that fails', async () => {
    answer = (_request, socket) => socket.resetAndDestroy()
    await expect(open()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
