import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { startHub } from '../../../src/hub/server.ts'
import { descriptorLimit } from '../../../src/runtime/descriptor-limit.ts'
import { MAX_TLS_STRANGERS } from '../../../src/tunnel/protocol/limits.ts'
import { hubInProcess, linked, member, nonceOf } from '../../fixtures/hub/hub-in-process.ts'
import { TestAuthority } from '../../helpers/certificates.ts'
import { makeHome } from '../../helpers/home.ts'

const ROOM = 8
const home = makeHome('authority')
let authority: TestAuthority
beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

/** A connection that says nothing. @returns once it stands; `closed` tells when the hub has closed it */
async function silent(port: number): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  return { socket, closed }
}

async function silentOnes(port: number, count: number): Promise<{ closed: Promise<unknown> }[]> {
  const all = []
  for (let i = 0; i < count; i++) all.push(await silent(port))
  return all
}

test.for(['http', 'https'])(
  'over %s strangers who hold all connections keep no machine out',
  async (scheme) => {
    const first = await hubInProcess()
    const config = await member(first)
    await first.close()
    const log: string[] = []
    const hub = await startHub({
      folder: first.folder,
      host: '127.0.0.1',
      port: 0,
      version: '0.1.0',
      limits: { connections: ROOM },
      log: (line) => log.push(line),
      ...(scheme === 'https' && { tls: authority.issue() }),
    })
    onTestFinished(() => hub.close())
    const there: Config = { ...config, hub: `${scheme}://127.0.0.1:${hub.port}`, ca: authority.certFile }
    const [oldest, ...others] = await silentOnes(hub.port, ROOM)
    let isYoungestClosed = false
    void others.at(-1)!.closed.then(() => (isYoungestClosed = true))
    const { link, ended } = await linked(there)
    let isEnded = false
    void ended.finally(() => (isEnded = true)).catch(() => {})
    await oldest!.closed
    expect(isYoungestClosed).toBe(false)
    expect(log.filter((line) => line.startsWith('[!]'))).toEqual([
      expect.stringMatching(/^\[!\] Connections that have no link are closed, the oldest first: 8 are open/),
    ])
    // Many times as many as there is room for: the link is not one of those that go.
    await silentOnes(hub.port, 5 * ROOM)
    expect(await link.offer([])).toEqual([])
    expect(isEnded).toBe(false)
  },
)

test('where links have all the places, more connections are refused, and no link goes', async () => {
  const test = await hubInProcess(undefined, { limits: { connections: 2 } })
  const links = [await linked(await member(test, 'ada')), await linked(await member(test, 'bob'))]
  const { closed } = await silent(test.hub.port)
  await closed
  expect(test.log.at(-1)).toMatch(/^\[x\] Connections are refused: 2 are open, as many as "ulimit -n"/)
  expect(links.map(({ link }) => link.state.state)).toEqual(['connected', 'connected'])
  // There is room again once one has left.
  await links[0]!.stop()
  await expect.poll(() => nonceOf(test).catch(() => undefined), { timeout: 30_000 }).toBeDefined()
})

// Both ends of each are here.
test.skipIf(descriptorLimit() < 3 * MAX_TLS_STRANGERS)(
  'with TLS they are fewer: each may begin its handshake in the same moment as all others',
  async () => {
    const test = await hubInProcess(undefined, { tls: authority.issue() })
    const [oldest] = await silentOnes(test.hub.port, MAX_TLS_STRANGERS + 1)
    await oldest!.closed
    expect(test.log.at(-1)).toMatch(/no link are closed, the oldest first: 4096 of them are open$/)
  },
)

test('those without a link are bounded by themselves, whatever there is room for', async () => {
  const test = await hubInProcess(undefined, { limits: { strangers: ROOM } })
  const [oldest] = await silentOnes(test.hub.port, ROOM + 1)
  await oldest!.closed
  expect(test.log.at(-1)).toMatch(/no link are closed, the oldest first: 8 of them are open$/)
  await linked(await member(test))
})
