import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { acceptFor, answerUpgrade, checkUpgrade, upgradeHeaders } from '../../src/websocket/handshake.ts'

/** Of the RFC's example, §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const PROTOCOL = 'example.v1'

function incoming(
  headers: Record<string, string | undefined>,
  line: { method?: string; statusCode?: number },
) {
  const message = new IncomingMessage(new Socket())
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) message.headers[name] = value
  }
  return Object.assign(message, line)
}

const request = (changes: Record<string, string | undefined> = {}, method = 'GET') =>
  incoming(
    {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': KEY,
      'sec-websocket-protocol': PROTOCOL,
      ...changes,
    },
    { method },
  )

const response = (changes: Record<string, string | undefined> = {}, statusCode = 101) =>
  incoming(
    {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-accept': ACCEPT,
      'sec-websocket-protocol': PROTOCOL,
      ...changes,
    },
    { statusCode },
  )

test('§1.3: the key of the RFC is accepted with its answer', () => {
  expect(acceptFor(KEY)).toBe(ACCEPT)
})

describe('§4.2: a request', () => {
  test('is answered with 101, and the headers that were given', () => {
    expect(answerUpgrade(request(), PROTOCOL, ['X-Hub: one'])).toEqual({
      accepted: true,
      response: [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${ACCEPT}`,
        `Sec-WebSocket-Protocol: ${PROTOCOL}`,
        'X-Hub: one',
        '',
        '',
      ].join('\r\n'),
    })
  })

  test.for([
    ['in other letters', { connection: 'keep-alive, UPGRADE', upgrade: 'WebSocket' }],
    ['with other subprotocols besides', { 'sec-websocket-protocol': `other.v1, ${PROTOCOL}` }],
    ['with extensions, which none is chosen of', { 'sec-websocket-extensions': 'permessage-deflate' }],
  ] as const)('%s is accepted', ([, changes]) => {
    const answer = answerUpgrade(request(changes), PROTOCOL, [])
    expect(answer).toMatchObject({ accepted: true, response: expect.not.stringContaining('Extensions') })
  })

  test.for([
    ['without Upgrade', { upgrade: undefined }],
    ['for another upgrade', { upgrade: 'h2c' }],
    ['without Connection', { connection: undefined }],
    ['whose Connection does not upgrade', { connection: 'keep-alive' }],
    ['without a key', { 'sec-websocket-key': undefined }],
    ['with a key of 15 bytes', { 'sec-websocket-key': Buffer.alloc(15).toString('base64') }],
    ['with a key of 17 bytes', { 'sec-websocket-key': Buffer.alloc(17).toString('base64') }],
    ['with two keys', { 'sec-websocket-key': `${KEY}, ${KEY}` }],
    ['with a key that is not base64', { 'sec-websocket-key': `${'*'.repeat(22)}==` }],
    ['without a subprotocol', { 'sec-websocket-protocol': undefined }],
    ['for another subprotocol', { 'sec-websocket-protocol': `${PROTOCOL}.1` }],
  ] as const)('%s is refused', ([, changes]) => {
    const answer = answerUpgrade(request(changes), PROTOCOL, [])
    expect(answer).toEqual({ accepted: false, status: 400, message: expect.stringMatching(/^.+\.$/) })
  })

  test('with another method is refused', () => {
    expect(answerUpgrade(request({}, 'POST'), PROTOCOL, [])).toMatchObject({
      status: 405,
      headers: ['Allow: GET'],
    })
  })

  test.for([undefined, '8', '12', '14', '013'])('§4.4: of version %s is told the right one', (version) => {
    expect(answerUpgrade(request({ 'sec-websocket-version': version }), PROTOCOL, [])).toMatchObject({
      accepted: false,
      status: 426,
      headers: ['Sec-WebSocket-Version: 13'],
    })
  })
})

describe('§4.1: a client', () => {
  test('asks with a fresh key each time, in a request that is accepted', () => {
    const [one, other] = [upgradeHeaders(PROTOCOL), upgradeHeaders(PROTOCOL)]
    expect(one.key).not.toBe(other.key)
    expect(Buffer.from(one.key, 'base64')).toHaveLength(16)
    const lower = Object.fromEntries(
      Object.entries(one.headers).map(([name, value]) => [name.toLowerCase(), value]),
    )
    const answer = answerUpgrade(incoming(lower, { method: 'GET' }), PROTOCOL, [])
    expect(answer).toMatchObject({ response: expect.stringContaining(acceptFor(one.key)) })
  })

  test('takes the right answer, in other letters too', () => {
    for (const changes of [{}, { upgrade: 'WebSocket', connection: 'upgrade' }]) {
      expect(checkUpgrade(response(changes), KEY, PROTOCOL)).toBeUndefined()
    }
  })

  test.for([
    [{ upgrade: 'h2c' }, 'the server upgraded to no WebSocket'],
    [{ upgrade: undefined }, 'the server upgraded to no WebSocket'],
    [{ connection: undefined }, 'the server did not upgrade the connection'],
    [{ 'sec-websocket-accept': undefined }, 'the server answered another Sec-WebSocket-Key'],
    [{ 'sec-websocket-accept': ACCEPT.toLowerCase() }, 'the server answered another Sec-WebSocket-Key'],
    [{ 'sec-websocket-protocol': undefined }, 'the server chose another subprotocol'],
    [{ 'sec-websocket-protocol': 'other.v1' }, 'the server chose another subprotocol'],
    [{ 'sec-websocket-extensions': 'foo' }, 'the server chose extensions that nobody asked for'],
  ] as const)('refuses %o', ([changes, message]) => {
    expect(() => checkUpgrade(response(changes), KEY, PROTOCOL)).toThrow(message)
  })

  test('refuses what is no 101', () => {
    expect(() => checkUpgrade(response({}, 200), KEY, PROTOCOL)).toThrow('the server answered with HTTP 200')
  })
})
