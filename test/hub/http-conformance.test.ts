import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import { startHub, type Hub } from '../../src/hub/server.ts'
import { HUB_HEADER } from '../../src/tunnel/protocol/handshake.ts'
import { makeHome, type Home } from '../helpers/home.ts'

let hub: Hub
let home: Home

beforeAll(async () => {
  home = makeHome('hub')
  const options = { host: '127.0.0.1', port: 0, version: '0.1.0', log: () => {} }
  hub = await startHub({ ...options, folder: home.file('hub') })
})

afterAll(async () => {
  await hub.close()
  home.remove()
})

/** Everything that comes back for what is sent. */
async function answerTo(text: string): Promise<string> {
  const socket = connect(hub.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(text)
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk)
  return answer
}

describe('what can’t be served is refused in the hub’s own words:', () => {
  test.for<[string, string, number]>([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a request without Host', 'GET /v1/hub HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['headers without an end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'an expectation',
      'POST /v1/join HTTP/1.1\r\nHost: x\r\nExpect: cake\r\nContent-Length: 2\r\n\r\n{}',
      417,
    ],
    [
      'two lengths',
      'POST /v1/join HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
    ],
    ['a broken body', 'POST /v1/join HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
    ['a request to a proxy', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 404],
  ])('%s', async ([, text, status]) => {
    const answer = await answerTo(text)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer.toLowerCase()).toContain(`\r\n${HUB_HEADER}: ${hub.id}\r\n`)
    expect(answer).toMatch(/\{"error":"(bad_request|not_found)","message":"/)
  })
})

test.for(['/', '/healthz', '/v1/hub', '/v1/nonce'])(
  'HEAD %s is answered as GET is, without a body',
  async (path) => {
    const got = await fetch(`http://127.0.0.1:${hub.port}${path}`)
    const request = httpRequest({ host: '127.0.0.1', port: hub.port, path, method: 'HEAD' }).end()
    const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
    response.resume()
    await once(response, 'end')
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({
      [HUB_HEADER]: hub.id,
      'content-type': got.headers.get('content-type'),
      'content-length': String((await got.text()).length),
    })
  },
)
