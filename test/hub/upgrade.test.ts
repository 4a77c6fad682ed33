import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { hubInProcess } from '../fixtures/hub-in-process.ts'

/** Everything that comes back for a request written by hand. */
async function answerTo(port: number, lines: readonly string[], body = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  socket.write([...lines, 'Host: hub.test', ...length, '', body].join('\r\n'))
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk)
  return answer
}

/** As `curl --http2` and Java's HttpClient send it, but for the end. */
const H2C = ['Connection: close, Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']

test('a client that offers HTTP/2 is answered over HTTP/1.1', async () => {
  const { hub } = await hubInProcess()
  const answer = await answerTo(hub.port, ['GET /v1/hub HTTP/1.1', ...H2C])
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).toContain(`"hub":"${hub.id}"`)
})

test('and so is its body read', async () => {
  const { hub } = await hubInProcess()
  const answer = await answerTo(hub.port, ['POST /v1/join HTTP/1.1', ...H2C], '{"token":"x"}')
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(answer).toContain('This is not a join request.')
})

test('a WebSocket elsewhere than at links is refused', async () => {
  const { hub } = await hubInProcess()
  const websocket = ['Connection: Upgrade', 'Upgrade: WebSocket', 'Sec-WebSocket-Version: 13']
  const answer = await answerTo(hub.port, ['GET /v1/hub HTTP/1.1', ...websocket])
  expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/)
})
