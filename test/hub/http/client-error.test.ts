import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { onClientError } from '../../../src/hub/http/client-error.ts'
import { until } from '../../helpers/until.ts'

const hubId = 'hub_0123456789abcdef'

/** A server that answers by the hand of the test, and a client of it. */
async function served(
  answer: (request: IncomingMessage, response: ServerResponse) => void = () => {},
  limits: ServerOptions = {},
) {
  const server = createServer(limits, answer)
  onClientError(server, hubId, (_request, response, { status, reason, message }) => {
    response.writeHead(status, { connection: 'close' }).end(`${reason}: ${message}`)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  return { server, socket, accepted }
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const GARBAGE = '\u0001\r\n\r\n'
const UNREADABLE = '{"error":"bad_request","message":"The request can’t be read."}'

describe('a request that can’t be read is refused', () => {
  test.for<[string, string, string, limits?: ServerOptions]>([
    ['as it is no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
    ['for its headers', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, '431 Request Header Fields Too Large'],
    [
      'for what its chunks say of themselves',
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}`,
      '413 Payload Too Large',
    ],
    [
      'as it never comes to its end',
      'GET / HTTP/1.1\r\n',
      '408 Request Timeout',
      { headersTimeout: 100, connectionsCheckingInterval: 50 },
    ],
  ])('%s', async ([, sent, status, limits]) => {
    const { socket } = await served(undefined, limits)
    socket.write(sent)
    const answer = await text(socket)
    expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`)
    expect(answer).toContain(`\r\nx-private-connect-hub: ${hubId}\r\n`)
    expect(answer.split('\r\n\r\n')[1]).toBe(UNREADABLE)
  })

  test('behind one that was answered', async () => {
    const { socket } = await served((_request, response) => void response.end('done'))
    socket.write(GET)
    await once(socket, 'readable')
    socket.write(GARBAGE)
    const answer = await text(socket)
    expect(answer).toContain('\r\n\r\ndone')
    expect(answer).toContain('HTTP/1.1 400 Bad Request\r\n')
  })

  test('behind one that is not answered yet', async () => {
    const { socket, server } = await served()
    socket.write(GET)
    await once(server, 'request')
    socket.write(GARBAGE)
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/)
  })
})

describe('the connection is cut without a word', () => {
  test('in the midst of an answer', async () => {
    const { socket } = await served((_request, response) => void response.write('half'))
    let received = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
    socket.write(GET)
    await expect.poll(() => received, { timeout: 30_000 }).toContain('half')
    socket.write(GARBAGE)
    await once(socket, 'close')
    expect(received).not.toContain('400')
  })

  test('to whom nothing can be said any more', async () => {
    const { server } = await served()
    const duplex = new PassThrough().end().on('error', () => {})
    const error = new Error('Parse Error')
    server.emit('clientError', error, duplex)
    expect(duplex.errored).toBe(error)
  })

  test('to whoever has cut it', async () => {
    const { server } = await served()
    const duplex = new PassThrough().on('error', () => {})
    const error = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    server.emit('clientError', error, duplex)
    expect(duplex.errored).toBe(error)
    expect(duplex.readableLength).toBe(0)
  })
})

test('what nobody knows how to expect is refused', async () => {
  const { socket } = await served()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nExpect: cake\r\n\r\n')
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1.1 417 /)
  expect(answer).toContain('bad_request: Nothing like that is expected here.')
})

test('the hub is no proxy, and survives who has asked it to be one and is gone', async () => {
  const { socket, accepted } = await served()
  const [atServer] = await accepted
  socket.write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n')
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1.1 404 Not Found\r\n/)
  expect(answer).toMatch(/\r\n\r\n\{"error":"not_found","message":"This is no proxy\."\}$/)
  atServer.emit('error', new Error('reset'))
})

test('a link does not keep the answer that came before it on its connection', async () => {
  let kept: WeakRef<ServerResponse> | undefined
  const { server, socket } = await served((_request, response) => {
    kept = new WeakRef(response)
    response.end('done')
  })
  const upgraded = once(server, 'upgrade').then(([, link]) => link as Socket)
  socket.resume().write(GET)
  await until(() => kept !== undefined)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
  const link = (await upgraded).on('error', () => {})
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  await until(() => {
    collect()
    return kept?.deref() === undefined
  })
  expect(link.destroyed).toBe(false)
})
