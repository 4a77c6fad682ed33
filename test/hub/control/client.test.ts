import { createServer, type RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { writeProcessRecord } from '../../../src/control/process-record.ts'
import { hubAgents, hubStatus } from '../../../src/hub/control/client.ts'
import { AGENTS_A_PAGE } from '../../../src/hub/control/schema.ts'
import { startHubControl } from '../../../src/hub/control/server.ts'
import { agentsPage } from '../../../src/hub/control/agents-page.ts'
import type { Agent } from '../../../src/hub/store/store.ts'
import { hubInProcess, linked, member } from '../../fixtures/hub/hub-in-process.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

/** Something that listens where a hub would. */
async function listening(answer: RequestListener) {
  const instance = hubInstance({ dataDir: scratchFolder() })
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(instance.socketPath, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return instance
}

test('a hub says who has joined, who is online, and how much it carries', async () => {
  const hub = await hubInProcess()
  const instance = hubInstance({ dataDir: hub.folder })
  const [ada, bob, eve] = [await member(hub, 'ada'), await member(hub, 'bob'), await member(hub, 'eve')]
  const { link, stop } = await linked(ada)
  await hub.hub.revokeAgent(eve.agentId)
  const status = await hubStatus(instance)
  expect(status).toMatchObject({
    hubId: hub.hub.id,
    url: hub.url,
    joined: 2,
    online: 1,
    links: 1,
    streams: 0,
  })
  expect(status?.listen).toBe(new URL(hub.url).host)
  await link.offer([{ name: 'web', port: 80 }])
  const stream = link.open('web')
  await expect.poll(async () => (await hubStatus(instance))?.streams, { timeout: 30_000 }).toBe(1)
  stream?.sever(0, 'enough')
  const agents = await hubAgents(instance)
  const time = expect.any(String) as string
  expect(agents?.toSorted((one, other) => one.label.localeCompare(other.label))).toEqual([
    { id: ada.agentId, label: 'ada', joinedAt: time, revoked: false, online: true, lastSeen: time },
    { id: bob.agentId, label: 'bob', joinedAt: time, revoked: false, online: false, lastSeen: null },
    { id: eve.agentId, label: 'eve', joinedAt: time, revoked: true, online: false, lastSeen: null },
  ])
  await stop()
  await expect.poll(async () => (await hubStatus(instance))?.online, { timeout: 30_000 }).toBe(0)
})

test('ten thousand machines with the longest labels come in pages, each one once, though some come and go', async () => {
  const agents = new Map<string, Agent>()
  const add = (n: number) => {
    const id = `agent_${String(n).padStart(16, '0')}`
    const key = { kty: 'OKP', crv: 'Ed25519', x: '' } as const
    agents.set(id, {
      id,
      workspace: 'default',
      key,
      label: '\u0001'.repeat(255),
      joinedAt: n,
      revoked: false,
    })
  }
  for (let n = 20_000; n > 0; n -= 2) add(n)
  const instance = hubInstance({ dataDir: scratchFolder() })
  let pages = 0
  const never = () => Promise.reject(new Error('not asked'))
  const hub = {
    status: () => {
      throw new Error('not asked')
    },
    agents(after: string | undefined) {
      if (after !== undefined) agents.delete(after)
      add(2 * ++pages - 1)
      return agentsPage(agents.values(), after, { isOnline: () => false, lastSeen: () => undefined })
    },
    revokeAgent: never,
    revokeToken: never,
    removeAgent: never,
    createToken: never,
    tokens: never,
    allTokens: never,
    saved: never,
  }
  const control = await startHubControl(instance.socketPath, hub, () => {})
  onTestFinished(() => control.close())
  const got = await hubAgents(instance, 30_000)
  expect(pages).toBe(Math.ceil(10_000 / AGENTS_A_PAGE) + 1)
  const even = got!.filter(({ id }) => Number(id.slice(-1)) % 2 === 0)
  expect(even).toHaveLength(10_000)
  expect(new Set(got!.map(({ id }) => id)).size).toBe(got!.length)
})

test('where no hub listens there is no answer', async () => {
  const instance = hubInstance({ dataDir: scratchFolder() })
  expect(await hubStatus(instance)).toBeUndefined()
  expect(await hubAgents(instance)).toBeUndefined()
})

test('a hub that does not answer costs a command no more than its time', async () => {
  const instance = await listening(() => {})
  expect(await rejectionOf(hubStatus(instance, 50))).toMatchObject({
    code: 'HUB_BUSY',
    message: 'The hub does not answer',
  })
  expect((await rejectionOf(hubAgents(instance, 50))).code).toBe('HUB_BUSY')
})

test.for([
  ['that is kept', 'daemon', 'Run: connect hub restart'],
  [
    'in a terminal',
    'foreground',
    `End it with Ctrl-C where it runs (PID: ${process.pid}), and start it there again.`,
  ],
] as const)('what helps with a hub %s that does not answer is said with it', async ([, mode, hint]) => {
  const silent = await listening(() => {})
  const garbled = await listening((_, response) => void response.end('?'))
  for (const instance of [silent, garbled]) writeProcessRecord(instance, identityFor(instance, { mode }))
  expect((await rejectionOf(hubStatus(silent, 50))).hints).toEqual([hint])
  expect((await rejectionOf(hubStatus(garbled))).hints).toEqual([hint])
})

test.for([
  ['of another version', 400, '{}'],
  ['that is cut off', 200, '{"agent":'],
])('an answer %s is no status', async ([, code, body]) => {
  const instance = await listening((_, response) => {
    response.statusCode = Number(code)
    response.end(body)
  })
  expect((await rejectionOf(hubStatus(instance))).code).toBe('HUB_OTHER_VERSION')
})

function pageOf(ids: string[]): string {
  const machine = { label: 'ada', joinedAt: new Date(0).toISOString(), revoked: false, online: false }
  return JSON.stringify({ agents: ids.map((id) => ({ ...machine, id, lastSeen: null })), more: true })
}

test('a hub that says the same page for ever is not believed', async () => {
  const instance = await listening((_, response) => response.end(pageOf(['agent_1'])))
  expect((await rejectionOf(hubAgents(instance, 60_000))).code).toBe('HUB_OTHER_VERSION')
})

test('a hub that always has one more costs a command no more than its time', async () => {
  let count = 0
  const instance = await listening((_, response) => response.end(pageOf([String(1e9 + count++)])))
  expect((await rejectionOf(hubAgents(instance, 200))).code).toBe('HUB_BUSY')
})
