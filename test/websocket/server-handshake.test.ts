import { once } from 'node:events'
import { request as ask, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ServerHandshake } from '../../src/websocket/server-handshake.ts'
import type { Transport } from '../../src/websocket/transport.ts'
import { UpgradeServer } from './helpers/upgrade-server.ts'

/** Of the RFC's example, §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const PROTOCOL = 'example.v1'

let server: UpgradeServer

beforeAll(async () => {
  server = await UpgradeServer.start(await ServerHandshake.load(PROTOCOL, 1000, 'X-Hub: one'))
})
beforeEach(() => {
  server.answer = server.accept
})
afterAll(() => server.stop())

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
    ...server.address,
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
    server.answer = (request, socket, head) => {
      socket.destroy()
      resolve(server.handshake.accept(request, socket, head))
    }
    asked().catch(() => {})
    expect(await promise).toBeUndefined()
  })
})
