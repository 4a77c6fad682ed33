import { existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Signer } from '../../src/agent/credential.ts'
import { HubApi } from '../../src/agent/hub-api.ts'
import { revoke } from '../../src/cli/revoke.ts'
import { startHubControl } from '../../src/hub/control.ts'
import { hubSocketPath } from '../../src/hub/control-api.ts'
import { Store } from '../../src/hub/store.ts'
import { requestLocally } from '../../src/process/local-socket.ts'
import { hubInProcess, joinToken, linked, member, stranger } from '../fixtures/hub-in-process.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'

async function stored(folder: string) {
  const store = await Store.open(folder)
  try {
    return { agents: store.agents(), tokens: store.tokens() }
  } finally {
    store.close()
  }
}

test('a revocation holds once it is answered: the link is closed, and it is in the database', async () => {
  const hub = await hubInProcess()
  const ada = await member(hub)
  const { ended } = await linked(ada)
  expect(await revoke(hub.folder, 'agent', ada.agentId)).toEqual({ saved: true })
  expect((await rejectionOf(ended)).code).toBe('REVOKED')
  expect((await stored(hub.folder)).agents).toMatchObject([{ revoked: true }])
  expect(hub.log.filter((line) => line.includes('revoked'))[0]).toContain(ada.agentId)
})

test('a join token that is revoked is of no use once that is answered', async () => {
  const hub = await hubInProcess()
  await joinToken(hub.folder)
  const { tokens } = await stored(hub.folder)
  expect(await revoke(hub.folder, 'token', tokens[0]!.id)).toEqual({ saved: true })
  expect((await stored(hub.folder)).tokens).toMatchObject([{ state: 'revoked' }])
})

test.for(['agent', 'token'] as const)('an unknown %s is an error, with a hub and without', async (kind) => {
  const hub = await hubInProcess()
  expect((await rejectionOf(revoke(hub.folder, kind, 'agent_0000000000000000'))).code).toBe('NO_SUCH_ENTRY')
  expect((await rejectionOf(revoke(hub.folder, kind, '../../x?y'))).code).toBe('NO_SUCH_ENTRY')
  await hub.close()
  expect((await rejectionOf(revoke(hub.folder, kind, 'agent_0000000000000000'))).code).toBe('NO_SUCH_ENTRY')
})

test('without a hub the database is written, and a hub that comes later heeds it', async () => {
  const hub = await hubInProcess()
  const ada = await member(hub)
  await hub.close()
  expect(await revoke(hub.folder, 'agent', ada.agentId)).toEqual({ saved: true })
  const again = await hubInProcess(hub.folder)
  const asked = new HubApi({ hub: again.url }).services(new Signer(ada))
  expect((await rejectionOf(asked)).code).toBe('REVOKED')
})

test('the socket is for its owner alone, and answers nothing else', async () => {
  const hub = await hubInProcess()
  const socketPath = hubSocketPath(hub.folder)
  expect(lstatSync(socketPath).mode & 0o777).toBe(0o600)
  const eve = await stranger(hub)
  for (const [method, path] of [
    ['GET', `/v1/agents/${eve.agentId}`],
    ['DELETE', '/v1/agents/'],
    ['DELETE', '/v1/agents/a/b'],
    ['POST', '/'],
  ] as const)
    expect(await requestLocally({ socketPath, method, path, timeoutMs: 5000 })).toMatchObject({ status: 400 })
})

test('a socket that something has cleaned away is opened again', async () => {
  const folder = scratchFolder()
  const revoked: string[] = []
  const note = (id: string) => {
    revoked.push(id)
    return Promise.resolve({ saved: true } as const)
  }
  const control = await startHubControl(folder, { revokeAgent: note, revokeToken: note }, () => {}, 20)
  onTestFinished(() => control.close())
  rmSync(hubSocketPath(folder))
  await expect.poll(() => existsSync(hubSocketPath(folder)), { timeout: 30_000 }).toBe(true)
  expect(await revoke(folder, 'token', 'jt_00000000')).toEqual({ saved: true })
  expect(revoked).toEqual(['jt_00000000'])
})

test('a data folder whose path is too long for a socket has one all the same', async () => {
  const folder = path.join(scratchFolder(), 'x'.repeat(120))
  mkdirSync(folder)
  const hub = await hubInProcess(folder)
  const ada = await member(hub)
  const { ended } = await linked(ada)
  expect(await revoke(folder, 'agent', ada.agentId)).toEqual({ saved: true })
  expect((await rejectionOf(ended)).code).toBe('REVOKED')
})
