import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import { connect, createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { HubAddress } from '../../src/hub-client/connection.ts'
import { HubClient } from '../../src/hub-client/hub-client.ts'
import { HubLink } from '../../src/hub-client/hub-link.ts'
import { hubInProcess, member } from '../fixtures/hub-in-process.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'
import { pemOf, TestAuthority, type IssuedCertificate } from '../helpers/certificates.ts'
import { makeHome } from '../helpers/home.ts'

const home = makeHome('authority')
let authority: TestAuthority

beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise((resolve) => void server.close(() => resolve())))
  return (server.address() as AddressInfo).port
}

const serving = (certificate: IssuedCertificate, options = {}) =>
  listening(
    createServer({ ...pemOf(certificate), ...options }, (_request, response) => response.end('hello')),
  )

const failureOf = (address: HubAddress) => rejectionOf(new HubClient(address).info())

describe('a certificate that is not accepted is told in a sentence, with what fixes it:', () => {
  test.for([
    [
      'self-signed',
      () => authority.selfSigned(),
      false,
      /: its TLS certificate is self-signed$/,
      /connect login --ca FILE/,
    ],
    [
      'of an unknown authority',
      () => authority.issue(),
      false,
      /: its TLS certificate is signed by an authority that this machine does not know$/,
      /--ca FILE/,
    ],
    [
      'expired',
      () => authority.issue({ days: -1 }),
      true,
      /: its TLS certificate has expired$/,
      /must renew.* clock is wrong: it says \d{4}-/,
    ],
    [
      'for another name',
      () => authority.issue({ names: 'DNS:other.test,IP:192.0.2.1' }),
      true,
      /: its TLS certificate is for another name: it is for other\.test, 192\.0\.2\.1$/,
      /Use a name/,
    ],
  ] as const)('%s', async ([, issue, isTrusted, message, hint]) => {
    const hub = `https://127.0.0.1:${await serving(issue())}`
    const error = await failureOf({ hub, ca: isTrusted ? authority.certFile : undefined })
    expect(error.code).toBe('HUB_UNREACHABLE')
    expect(error.message).toMatch(message)
    expect(error.hints.join('\n')).toMatch(hint)
  })

  test('and nothing turns that off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const hub = `https://127.0.0.1:${await serving(authority.selfSigned())}`
    expect((await failureOf({ hub })).message).toMatch(/self-signed$/)
  })
})

test('TLS older than 1.2 is not spoken', async () => {
  const options = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }
  const hub = `https://127.0.0.1:${await serving(authority.issue(), options)}`
  expect((await failureOf({ hub, ca: authority.certFile })).message).toMatch(
    /it speaks no version of TLS that is still safe/,
  )
})

describe('the file of an authority', () => {
  test('is read anew, since it may be renewed', async () => {
    const hub = `https://127.0.0.1:${await serving(authority.issue())}`
    expect((await failureOf({ hub, ca: authority.certFile })).code).toBe('NOT_A_HUB')
    expect((await failureOf({ hub, ca: new TestAuthority(home.file('other')).certFile })).code).toBe(
      'HUB_UNREACHABLE',
    )
    expect((await failureOf({ hub, ca: authority.certFile })).code).toBe('NOT_A_HUB')
  })

  test('may be a certificate that is signed by itself', async () => {
    const certificate = authority.selfSigned()
    const hub = `https://127.0.0.1:${await serving(certificate)}`
    expect((await failureOf({ hub, ca: certificate.cert })).code).toBe('NOT_A_HUB')
  })

  test('that is gone says so', async () => {
    const error = await failureOf({ hub: 'https://127.0.0.1:1', ca: '/none.pem' })
    expect(error.code).toBe('BAD_CA')
    expect(error.message).toContain('/none.pem')
  })

  test('that holds none says so', async () => {
    const error = await failureOf({ hub: 'https://127.0.0.1:1', ca: authority.issue().key })
    expect(error.message).toMatch(/has no certificate in it$/)
  })
})

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
      `Use its https address: connect login --hub ${hub.replace('http', 'https')}`,
    ])
  })

  test('plain http to a port that speaks neither is not called HTTPS', async () => {
    const port = await listening(createPlainServer().on('connection', (socket) => socket.resetAndDestroy()))
    expect((await failureOf({ hub: `http://127.0.0.1:${port}` })).message).toMatch(/: connection reset$/)
  })
})

test('a link says it too, and tries again', async () => {
  const config = await member(await hubInProcess())
  const hub = `https://127.0.0.1:${await serving(authority.selfSigned())}`
  const abort = new AbortController()
  const options = { role: 'agent', version: '0.1.0', log: () => {}, onStream: () => {} } as const
  const link = new HubLink({ ...options, config: { ...config, hub } })
  const ended = link.run(abort.signal)
  const reason = `Could not reach the hub at ${hub}: its TLS certificate is self-signed`
  await expect.poll(() => link.state, { timeout: 30_000 }).toMatchObject({ state: 'retrying', reason })
  abort.abort()
  await ended
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
