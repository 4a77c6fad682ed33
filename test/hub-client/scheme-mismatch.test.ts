import { createServer as createPlainServer } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestAuthority } from '../helpers/certificates.ts'
import { makeHome } from '../helpers/home.ts'
import { failureOf, listening, serving } from './helpers/tls-server.ts'

const home = makeHome('authority')
let authority: TestAuthority

beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

describe('the wrong scheme', () => {
  test('https to a hub on plain http', async () => {
    const port = await listening(createPlainServer((_request, response) => response.end()))
    const error = await failureOf({ hub: `https://127.0.0.1:${port}` })
    expect(error.message).toMatch(/: what answered there does not speak TLS$/)
    expect(error.hints.join()).toContain(`connect login --hub http://127.0.0.1:${port}`)
  })

  test.for([
    ['that just hangs up', async () => serving(authority.issue())],
    [
      'that says so in words of its own, as nginx does',
      async () => answeringPlainly(await serving(authority.issue())),
    ],
  ] as const)('plain http to an HTTPS port %s', async ([, start]) => {
    const hub = `http://127.0.0.1:${await start()}`
    const error = await failureOf({ hub })
    expect(error.message).toBe(`The hub at ${hub} speaks HTTPS, and not plain http`)
    expect(error.hints).toEqual([
      expect.stringMatching(/connect hub start$/),
      `Else use its https address: connect login --hub ${hub.replace('http', 'https')}`,
    ])
  })

  test('plain http to a port that speaks neither is not called HTTPS', async () => {
    const port = await listening(createPlainServer().on('connection', (socket) => socket.resetAndDestroy()))
    expect((await failureOf({ hub: `http://127.0.0.1:${port}` })).message).toMatch(/: connection reset$/)
  })
})

/** A server that knows TLS by its first byte, and passes it on; to all else it says no. */
async function answeringPlainly(tlsPort: number): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (first) => {
      if (first[0] !== 0x16) return socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n')
      const behind = connect(tlsPort, '127.0.0.1').on('error', () => {})
      behind.write(first)
      return socket.pipe(behind).pipe(socket)
    })
  })
  return listening(server)
}
