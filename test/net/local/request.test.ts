import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { requestLocally } from '../../../src/net/local/request.ts'
import { serveLocally } from '../../../src/net/local/serve.ts'
import { readBody } from '../../../src/net/read-body.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const asking = (socketPath: string) => ({ socketPath, method: 'GET', path: '/v1/status', timeoutMs: 30_000 })

/** Something that listens, and does this with who connects. @returns where */
async function listener(onConnect: (socket: Socket) => void): Promise<string> {
  const socketPath = path.join(scratchFolder(), 's')
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onConnect(socket)
  })
  await once(server.listen(socketPath), 'listening')
  onTestFinished(() => void server.close())
  return socketPath
}

test('a request gets the answer of the one that serves it, body and all', async () => {
  const socketPath = path.join(scratchFolder(), 's')
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    response.statusCode = 207
    response.setHeader('connection', 'close')
    // In pieces, of which a client of HTTP/1.1 would get chunks.
    response.write(`${request.method} ${request.url} `)
    response.end(await readBody(request, 1000))
  }
  const server = await serveLocally(socketPath, (request, response) => void answer(request, response))
  onTestFinished(() => server.close())
  const request = { socketPath, method: 'PUT', path: '/v1/services/web', body: 'é', timeoutMs: 30_000 }
  expect(await requestLocally(request)).toEqual({ status: 207, text: 'PUT /v1/services/web é' })
})

test('where nobody listens there is no answer', async () => {
  expect(await requestLocally(asking(path.join(scratchFolder(), 's')))).toBeUndefined()
})

test.for<[string, (socket: Socket) => void, RegExp]>([
  ['closes at once', (socket) => socket.end(), /closed without an answer/],
  ['speaks no HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n\r\n'), /closed without an answer/],
  [
    'breaks off',
    (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"a'),
    /the answer broke off/,
  ],
  [
    'never ends',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const more = () =>
        void (socket.write(Buffer.alloc(64 * 1024)) ? setImmediate(more) : socket.once('drain', more))
      more()
      socket.on('close', () => socket.removeAllListeners('drain'))
    },
    /too large/,
  ],
])('one that %s is an error', async ([, onConnect, message]) => {
  await expect(requestLocally(asking(await listener(onConnect)))).rejects.toThrow(message)
})

test('one that says nothing is waited for no longer than asked', async () => {
  const socketPath = await listener(() => {})
  const request = requestLocally({ ...asking(socketPath), timeoutMs: 20 })
  await expect(request).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('a path that would be more than a path is not sent', async () => {
  const socketPath = await listener((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
  const request = requestLocally({ ...asking(socketPath), path: '/v1/x HTTP/1.0\r\nEvil: yes' })
  await expect(request).rejects.toThrow(/is no path/)
})
