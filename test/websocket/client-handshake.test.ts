import { createHash } from 'node:crypto'
import { Agent, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HandshakeError, requestWebSocket } from '../../src/websocket/client-handshake.ts'
import { ServerHandshake } from '../../src/websocket/server-handshake.ts'
import { UpgradeServer } from './helpers/upgrade-server.ts'

/** What answers the key of the RFC's example, §1.3, and no other. */
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const PROTOCOL = 'example.v1'
const MAX_BYTES = 1000

let server: UpgradeServer

beforeAll(async () => {
  server = await UpgradeServer.start(await ServerHandshake.load(PROTOCOL, MAX_BYTES, 'X-Hub: one'))
})
beforeEach(() => {
  server.answer = server.accept
})
afterAll(() => server.stop())

describe('§4.1: a client', () => {
  const open = (path = '/', check: (response: IncomingMessage) => void = () => {}) =>
    requestWebSocket({
      url: `ws://any${path}`,
      agent: Object.assign(new Agent(), { createConnection: () => connect(server.address) }),
      headers: { authorization: 'Bearer x' },
      protocol: PROTOCOL,
      maxMessageBytes: MAX_BYTES,
      signal: AbortSignal.timeout(30_000),
      check,
    })

  /** Says 101, with other headers than it should. */
  const answerWith = (changes: Record<string, string | undefined>) => {
    server.answer = ({ headers }, socket) => {
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
    const { accept } = server
    server.answer = (request, socket, head) => {
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
    server.answer = (_request, socket) => socket.end('HTTP/1.1 403 No\r\nConnection: close\r\n\r\nnot you')
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
    server.answer = (_request, socket) => socket.resetAndDestroy()
    await expect(open()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
