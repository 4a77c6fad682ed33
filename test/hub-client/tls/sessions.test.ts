import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { openConnection, type HubAddress } from '../../../src/hub-client/connection.ts'
import { pemOf, TestAuthority } from '../../helpers/certificates.ts'
import { makeHome } from '../../helpers/home.ts'
import { failureOf, listening } from '../helpers/tls-server.ts'

const DAY_MS = 24 * 60 * 60_000

const home = makeHome('sessions')
let authority: TestAuthority

beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

/** A server that says a word to each client, so that what TLS sends before that has come, too. */
async function greeting(options = {}): Promise<{ server: Server; at: (name: string) => HubAddress }> {
  const server = createServer({ ...pemOf(authority.issue()), ...options }, (socket) => {
    socket.on('error', () => {})
    socket.end('hello')
  })
  const port = await listening(server)
  return { server, at: (name) => ({ hub: `https://${name}:${port}`, ca: authority.certFile }) }
}

/** Connects once. @returns whether an earlier session went on */
async function isResumed(address: HubAddress): Promise<boolean> {
  const socket = (await openConnection(address, AbortSignal.timeout(30_000))) as TLSSocket
  const isReused = socket.isSessionReused()
  // Keys of its own, agreed upon anew.
  expect(socket.getEphemeralKeyInfo()).toHaveProperty('name')
  await once(socket.resume(), 'end')
  socket.destroy()
  return isReused
}

test('the next connections go on with a session, each with one of its own, until all were used', async () => {
  const { at } = await greeting()
  const hub = at('127.0.0.1')
  expect([await isResumed(hub), await isResumed(hub), await isResumed(hub)]).toEqual([false, true, true])
  expect([await isResumed(hub), await isResumed(hub)]).toEqual([false, true])
})

test('requests to a hub go on with a session', async () => {
  const server = createHttpsServer(pemOf(authority.issue()), (_request, response) => response.end('hello'))
  const isReused: boolean[] = []
  server.on('secureConnection', (socket) => isReused.push(socket.isSessionReused()))
  const hub = `https://127.0.0.1:${await listening(server)}`
  for (let i = 0; i < 2; i++) await failureOf({ hub, ca: authority.certFile })
  expect(isReused).toEqual([false, true])
})

test('no session is gone on with twice, even at once', async () => {
  const { at } = await greeting()
  const hub = at('127.0.0.1')
  await isResumed(hub)
  const all = await Promise.all([isResumed(hub), isResumed(hub), isResumed(hub)])
  expect(all.filter(Boolean)).toHaveLength(2)
})

test('under another name the certificate is checked', async () => {
  const { at } = await greeting()
  await isResumed(at('127.0.0.1'))
  expect(await isResumed(at('localhost'))).toBe(false)
})

test('with other authorities no session goes on, and the certificate is checked', async () => {
  const { at } = await greeting()
  const hub = at('127.0.0.1')
  await isResumed(hub)
  const other = new TestAuthority(home.file('other')).certFile
  await expect(isResumed({ ...hub, ca: other })).rejects.toThrow(/unable to verify/)
  expect(await isResumed(hub)).toBe(false)
})

test('a server with another certificate goes on with no session, and is refused for it', async () => {
  const { server, at } = await greeting()
  const hub = at('127.0.0.1')
  await isResumed(hub)
  server.setSecureContext(pemOf(authority.selfSigned()))
  await expect(isResumed(hub)).rejects.toThrow(/self-signed/)
})

test('a session does not outlive the certificate that began it', async () => {
  const { at } = await greeting({ sessionTimeout: 7 * 24 * 60 * 60 })
  const hub = at('127.0.0.1')
  await isResumed(hub)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31 * DAY_MS })
  onTestFinished(() => void vi.useRealTimers())
  expect(await isResumed(hub)).toBe(false)
})

test('no session of TLS 1.2 is gone on with: it has no keys of its own', async () => {
  const { at } = await greeting({ maxVersion: 'TLSv1.2' })
  const hub = at('127.0.0.1')
  expect([await isResumed(hub), await isResumed(hub)]).toEqual([false, false])
})
