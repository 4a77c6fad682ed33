import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { RefusedError } from '../../../src/hub/auth/refused-error.ts'
import {
  holdBack,
  pathOf,
  readJsonBody,
  refusalOf,
  refuseOn,
  sendJson,
  sendText,
} from '../../../src/hub/http/response.ts'
import { StoreError } from '../../../src/hub/store/store-error.ts'

/** A connection to a server, until the end of the test. */
async function connected(server: Server, options: { allowHalfOpen?: boolean } = {}) {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ port, host: '127.0.0.1', ...options })
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  return socket
}

describe('what a refusal looks like:', () => {
  const headers = {}
  const internal = { error: 'internal', message: 'The hub failed; its output says why.' }
  test.for<[string, unknown, unknown]>([
    [
      'a refusal has its own words',
      new RefusedError(403, 'token_refused', 'No.'),
      { status: 403, headers, body: { error: 'token_refused', message: 'No.' } },
    ],
    [
      'one for now says when to come again',
      new RefusedError(429, 'too_many', 'Later.', { retryAfter: 5 }),
      { status: 429, headers: { 'retry-after': '5' }, body: { error: 'too_many', message: 'Later.' } },
    ],
    [
      'one of a nonce brings another',
      new RefusedError(401, 'nonce', 'Old.', { nonce: 'fresh' }),
      { status: 401, headers, body: { error: 'nonce', message: 'Old.', nonce: 'fresh' } },
    ],
    [
      'a disk that is full is told of',
      new StoreError({ kind: 'storage', reason: 'its disk is full' }),
      {
        status: 507,
        headers,
        body: { error: 'storage', message: 'The hub can’t save it: its disk is full.' },
      },
    ],
    [
      'a statement that fails is a bug',
      new StoreError({ kind: 'rejected', reason: 'no such column' }),
      { status: 500, headers, body: internal },
    ],
    ['of a bug nothing is told', new Error('secret'), { status: 500, headers, body: internal }],
    ['whatever is thrown', undefined, { status: 500, headers, body: internal }],
  ])('%s', ([, error, refusal]) => {
    expect(refusalOf(error)).toEqual(refusal)
  })
})

test('only whoever asks for too much waits for its refusal, a second', async () => {
  const soon = new Promise((resolve) => setTimeout(resolve, 20, 'soon'))
  for (const error of [
    new RefusedError(503, 'too_many', 'Later.'),
    Object.assign(new Error('a bug'), { status: 429 }),
    undefined,
  ])
    expect(await Promise.race([holdBack(error), soon])).toBeUndefined()
  const since = performance.now()
  await holdBack(new RefusedError(429, 'too_many', 'Later.'))
  expect(performance.now() - since).toBeGreaterThan(900)
})

test('the path of a request ends before its query', () => {
  for (const url of ['/v1/hub', '/v1/hub?', '/v1/hub?a=/b?c'])
    expect(pathOf({ url } as IncomingMessage)).toBe('/v1/hub')
})

describe('an answer', () => {
  /** A client that asks and reads nothing by itself, and the response that it waits for. */
  async function asked() {
    const server = createHttpServer()
    const socket = await connected(server)
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
    return { socket, response }
  }

  test('has its length in bytes, and is kept nowhere on its way', async () => {
    const { socket, response } = await asked()
    sendText(response, 201, 'text/plain', 'can’t')
    expect(response.statusCode).toBe(201)
    expect(response.getHeaders()).toEqual({
      'content-type': 'text/plain',
      'cache-control': 'no-store',
      'content-length': 7,
    })
    expect(await text(socket)).toMatch(/\r\n\r\ncan’t$/)
  })

  test('of JSON is a line', async () => {
    const { socket, response } = await asked()
    sendJson(response, 404, { error: 'not_found' })
    expect(response.statusCode).toBe(404)
    expect(response.getHeader('content-type')).toBe('application/json')
    expect(await text(socket)).toMatch(/\r\n\r\n\{"error":"not_found"\}\n$/)
  })

  test('that nobody reads is given up after half a minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { socket, response } = await asked()
    sendText(response, 200, 'text/plain', 'x'.repeat(20_000_000))
    await once(socket, 'readable')
    vi.advanceTimersByTime(29_999)
    expect(response.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(response.destroyed).toBe(true)
  })

  test('that was read leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { socket, response } = await asked()
    sendText(response, 200, 'text/plain', 'x')
    const closed = once(response, 'close')
    await text(socket)
    await closed
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a refusal on a bare socket', () => {
  async function refusedWith(error: unknown, lines?: readonly string[]) {
    const server = createServer({ allowHalfOpen: true })
    // It goes on as if it had more to say: the hub closes by itself.
    const socket = await connected(server, { allowHalfOpen: true })
    const [accepted] = (await once(server, 'connection')) as [typeof socket]
    const closed = once(accepted, 'close')
    refuseOn(accepted, 'hub_0123456789abcdef', error, ...(lines ? [lines] : []))
    const answer = await text(socket)
    await closed
    return answer
  }

  test('is an answer of HTTP, and the last one', async () => {
    const body = '{"error":"bad_request","message":"It can’t be read."}'
    expect(await refusedWith(new RefusedError(431, 'bad_request', 'It can’t be read.'))).toBe(
      [
        'HTTP/1.1 431 Request Header Fields Too Large',
        'Connection: close',
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'x-private-connect-hub: hub_0123456789abcdef',
        '',
        body,
      ].join('\r\n'),
    )
  })

  test('has further lines, and those of the refusal', async () => {
    const error = new RefusedError(503, 'too_many', 'Later.', { retryAfter: 5 })
    const answer = await refusedWith(error, ['Sec-WebSocket-Version: 13', 'X: y'])
    expect(answer).toContain(
      '\r\nSec-WebSocket-Version: 13\r\nX: y\r\nretry-after: 5\r\n\r\n{"error":"too_many"',
    )
  })
})

describe('a body', () => {
  const read = (...chunks: Buffer[]) => readJsonBody(Readable.from(chunks) as unknown as IncomingMessage)

  test('is JSON, in whatever pieces it comes', async () => {
    const whole = Buffer.from('{"label":"Zoë"}')
    const pieces = Array.from(whole, (byte) => Buffer.from([byte]))
    expect(await read(...pieces)).toEqual({ label: 'Zoë' })
  })

  test('of 16 KiB is read, and of more is refused', async () => {
    const longest = Buffer.from(`"${'x'.repeat(16 * 1024 - 2)}"`)
    expect(await read(longest.subarray(0, 9000), longest.subarray(9000))).toHaveLength(16 * 1024 - 2)
    await expect(read(longest, Buffer.from(' '))).rejects.toMatchObject({
      status: 413,
      reason: 'bad_request',
      message: 'The request is too large.',
    })
  })

  test.for(['', 'x', '{"label":'])('that is no JSON is refused: %s', async (body) => {
    await expect(read(Buffer.from(body))).rejects.toMatchObject({
      status: 400,
      reason: 'bad_request',
      message: 'The request is not JSON.',
    })
  })
})
