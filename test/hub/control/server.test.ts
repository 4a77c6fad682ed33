import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createToken } from '../../../src/cli/hub/create-token.ts'
import { listTokens } from '../../../src/cli/hub/list-tokens.ts'
import { shutOut } from '../../../src/cli/hub/shut-out.ts'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { ConnectError } from '../../../src/errors.ts'
import { Signer } from '../../../src/hub-client/credential.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import { startHubControl, type HubControl } from '../../../src/hub/control/server.ts'
import { tokensPage } from '../../../src/hub/control/tokens-reply.ts'
import { StoreError } from '../../../src/hub/store/store-error.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { requestLocally } from '../../../src/net/local/request.ts'
import { hubInProcess, joinToken, linked, member, stranger } from '../../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

/** A hub that is not asked. */
const NO_HUB: HubControl = {
  status: vi.fn<() => never>(),
  agents: vi.fn<() => never>(),
  revokeAgent: vi.fn<() => never>(),
  revokeToken: vi.fn<() => never>(),
  removeAgent: vi.fn<() => never>(),
  createToken: vi.fn<() => never>(),
  tokens: vi.fn<() => never>(),
  allTokens: vi.fn<() => never>(),
  saved: vi.fn<() => never>(),
}

const hubSocketPath = (dataDir: string) => hubInstance({ dataDir }).socketPath

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
  expect(await shutOut(hub.folder, 'revoke agent', ada.agentId)).toEqual({ saved: true })
  expect((await rejectionOf(ended)).code).toBe('REVOKED')
  expect((await stored(hub.folder)).agents).toMatchObject([{ revoked: true }])
  expect(hub.log.filter((line) => line.includes('revoked'))[0]).toContain(ada.agentId)
})

test('a join token that is revoked is of no use once that is answered', async () => {
  const hub = await hubInProcess()
  await joinToken(hub.folder)
  const { tokens } = await stored(hub.folder)
  expect(await shutOut(hub.folder, 'revoke token', tokens[0]!.id)).toEqual({ saved: true })
  expect((await stored(hub.folder)).tokens).toMatchObject([{ state: 'revoked' }])
})

test('a join token is made by the hub, which knows whether it lasts', async () => {
  const hub = await hubInProcess()
  const { id, token, expiresAt } = await createToken(hub.folder, { ttlMs: 60_000, uses: 2 })
  expect(token).toMatch(/^tok_/)
  expect((await stored(hub.folder)).tokens).toMatchObject([{ id, usesLeft: 2, expiresAt, state: 'valid' }])
})

test('join tokens are listed by the word of the hub, in pages, and not by what its database says', async () => {
  // What a hub knows that can’t save what it has revoked.
  const known = Array.from({ length: 1201 }, (_, n) => ({
    id: `jt_${(n * 7919) % 1201}`,
    createdAt: n,
    expiresAt: Date.now() + 60_000,
    usesLeft: 1,
    state: n === 0 ? ('revoked' as const) : ('valid' as const),
  }))
  const folder = scratchFolder()
  const hub = { ...NO_HUB, allTokens: async (after: string | undefined) => tokensPage(known, after) }
  const control = await startHubControl(hubSocketPath(folder), hub, () => {})
  onTestFinished(() => control.close())
  const listed = await listTokens(folder)
  expect(listed.map(({ id }) => id)).toEqual(known.map(({ id }) => id))
  expect(listed[0]).toMatchObject({ state: 'revoked', createdAt: '1970-01-01T00:00:00.000Z' })
})

test('join tokens are listed alike, whether the hub says them or its database', async () => {
  const hub = await hubInProcess()
  await joinToken(hub.folder)
  await shutOut(hub.folder, 'revoke token', (await createToken(hub.folder, { ttlMs: 60_000, uses: 2 })).id)
  const said = await listTokens(hub.folder)
  expect(said.map(({ state, usesLeft }) => [state, usesLeft])).toEqual([
    ['valid', 1],
    ['revoked', 2],
  ])
  await hub.close()
  expect(await listTokens(hub.folder)).toEqual(said)
})

test('a join token that would not last is not made', async () => {
  const hub = await hubInProcess()
  await createToken(hub.folder, { ttlMs: 60_000, uses: 1 })
  writeFileSync(path.join(hub.folder, 'other.db'), '')
  renameSync(path.join(hub.folder, 'other.db'), path.join(hub.folder, 'hub.db'))
  expect(await rejectionOf(createToken(hub.folder, { ttlMs: 60_000, uses: 1 }))).toMatchObject({
    code: 'WRITE_FAILED',
    message: 'The hub can’t save it: its database was replaced',
  })
})

test('a machine that is removed is cut off and known no more, and may join anew', async () => {
  const hub = await hubInProcess()
  const ada = await member(hub)
  const { link } = await linked(ada)
  await link.offer([{ name: 'web', port: 80 }])
  expect(await shutOut(hub.folder, 'remove agent', ada.agentId)).toEqual({ saved: true })
  await expect.poll(() => hub.hub.status().links, { timeout: 30_000 }).toBe(0)
  expect(hub.hub.agents(undefined).agents).toEqual([])
  expect((await stored(hub.folder)).agents).toEqual([])
  const asked = new HubClient({ hub: hub.url }).services(new Signer(ada))
  expect((await rejectionOf(asked)).code).toBe('AGENT_UNKNOWN')
  const { kty, crv, x } = ada.key
  const request = { token: await joinToken(hub.folder), key: { kty, crv, x }, label: 'ada' }
  await new HubClient({ hub: hub.url }).join(new Signer(ada), request)
  expect((await stored(hub.folder)).agents).toMatchObject([{ id: ada.agentId, revoked: false }])
})

test.for(['revoke agent', 'remove agent', 'revoke token'] as const)(
  '%s of an unknown one is an error, with a hub and without',
  async (kind) => {
    const hub = await hubInProcess()
    expect((await rejectionOf(shutOut(hub.folder, kind, 'agent_0000000000000000'))).code).toBe(
      'NO_SUCH_ENTRY',
    )
    expect((await rejectionOf(shutOut(hub.folder, kind, '../../x?y'))).code).toBe('NO_SUCH_ENTRY')
    await hub.close()
    expect((await rejectionOf(shutOut(hub.folder, kind, 'agent_0000000000000000'))).code).toBe(
      'NO_SUCH_ENTRY',
    )
  },
)

test('without a hub the database is written, and a hub that comes later heeds it', async () => {
  const hub = await hubInProcess()
  const ada = await member(hub)
  await hub.close()
  expect(await shutOut(hub.folder, 'revoke agent', ada.agentId)).toEqual({ saved: true })
  const again = await hubInProcess(hub.folder)
  const asked = new HubClient({ hub: again.url }).services(new Signer(ada))
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

test('what its owner sends without measure is bounded, and keeps no other command waiting', async () => {
  const hub = await hubInProcess()
  const socketPath = hubSocketPath(hub.folder)
  const ask = (path: string) => requestLocally({ socketPath, method: 'GET', path, timeoutMs: 5000 })
  // Begun, and not gone on with.
  const slow = connect(socketPath)
  onTestFinished(() => void slow.destroy())
  slow.write('GET /v1/status HTTP/1.1\r\nHost: hub\r\n')
  // A body that has no end: not a byte of it is kept.
  const large = connect(socketPath)
  onTestFinished(() => void large.destroy())
  large.on('error', () => {})
  const closed = new Promise((resolve) => large.once('close', resolve))
  large.write(
    'DELETE /v1/agents/agent_0000000000000000 HTTP/1.1\r\nHost: hub\r\nContent-Length: 9000000000\r\n\r\n',
  )
  const chunk = Buffer.alloc(1024 * 1024)
  const pour = () => {
    while (large.writable && large.write(chunk));
  }
  large.on('drain', pour)
  pour()
  large.resume()
  expect(await ask('/v1/status')).toMatchObject({ status: 200 })
  await closed
  expect(await ask(`/v1/agents?after=${'x'.repeat(1000)}`)).toMatchObject({ status: 400 })
  expect(await ask(`/${'x'.repeat(20_000)}`)).toMatchObject({ status: 431 })
})

test('a socket that something has cleaned away is opened again', async () => {
  const folder = scratchFolder()
  const revoked: string[] = []
  const note = (id: string) => {
    revoked.push(id)
    return Promise.resolve({ saved: true } as const)
  }
  const hub = { ...NO_HUB, revokeAgent: note, revokeToken: note }
  const control = await startHubControl(hubSocketPath(folder), hub, () => {})
  onTestFinished(() => control.close())
  rmSync(hubSocketPath(folder))
  await control.look()
  expect(await shutOut(folder, 'revoke token', 'jt_00000000')).toEqual({ saved: true })
  expect(revoked).toEqual(['jt_00000000'])
})

test('a data folder whose path is too long for a socket has one all the same', async () => {
  const folder = path.join(scratchFolder(), 'x'.repeat(120))
  mkdirSync(folder)
  const hub = await hubInProcess(folder)
  const ada = await member(hub)
  const { ended } = await linked(ada)
  expect(await shutOut(folder, 'revoke agent', ada.agentId)).toEqual({ saved: true })
  expect((await rejectionOf(ended)).code).toBe('REVOKED')
})

describe('what is asked on the socket', () => {
  /** A socket whose hub is the test, and what it says to what is asked. */
  async function asked(
    method: string,
    target: string,
    revoke: HubControl['revokeAgent'] = async () => SAVED,
  ) {
    const folder = scratchFolder()
    const [revoked, log]: [string[], string[]] = [[], []]
    const noted = (kind: string) => (id: string) => (revoked.push(`${kind} ${id}`), revoke(id))
    const hub = {
      ...NO_HUB,
      revokeAgent: noted('agent'),
      revokeToken: noted('token'),
      removeAgent: noted('removed'),
    }
    const control = await startHubControl(hubSocketPath(folder), hub, (line) => void log.push(line))
    onTestFinished(() => control.close())
    const asking = request({ socketPath: hubSocketPath(folder), method, path: target, agent: false }).end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    expect(response.headers).toMatchObject({ connection: 'close', 'content-type': 'application/json' })
    return { status: response.statusCode, json: JSON.parse(await text(response)) as unknown, revoked, log }
  }
  const SAVED = { saved: true } as const

  test('is revoked, and that is logged', async () => {
    expect(await asked('DELETE', '/v1/agents/agent_1')).toEqual({
      status: 200,
      json: { saved: true },
      revoked: ['agent agent_1'],
      log: ['agent_1 was revoked'],
    })
    expect(await asked('DELETE', '/v1/tokens/jt_1')).toMatchObject({ revoked: ['token jt_1'] })
    const longest = 'x'.repeat(64)
    expect(await asked('DELETE', `/v1/tokens/${longest}`)).toMatchObject({ revoked: [`token ${longest}`] })
  })

  test('is revoked while the disk is full, and it is said that this may not last', async () => {
    const reply = { saved: false, reason: 'its disk is full' } as const
    expect(await asked('DELETE', '/v1/agents/agent_1', async () => reply)).toMatchObject({
      status: 200,
      json: reply,
      log: ['[!] agent_1 was revoked, which is not saved yet: its disk is full'],
    })
  })

  test('may not be there', async () => {
    const missing = () => Promise.reject(new ConnectError('NO_SUCH_ENTRY', 'There is none'))
    expect(await asked('DELETE', '/v1/tokens/jt_1', missing)).toMatchObject({
      status: 404,
      json: {},
      log: [],
    })
  })

  test('is removed, and that is logged', async () => {
    expect(await asked('POST', '/v1/agents/agent_1/remove')).toEqual({
      status: 200,
      json: { saved: true },
      revoked: ['removed agent_1'],
      log: ['agent_1 was removed'],
    })
  })

  test('is not done where it can’t be saved, and it is said why', async () => {
    const failing = () => Promise.reject(new StoreError({ kind: 'storage', reason: 'its disk is full' }))
    expect(await asked('DELETE', '/v1/tokens/jt_1', failing)).toMatchObject({
      status: 507,
      json: { reason: 'its disk is full' },
      log: [],
    })
  })

  test('may fail, and why is logged', async () => {
    for (const error of [new Error('a bug'), new ConnectError('WRITE_FAILED', 'a bug')])
      expect(await asked('DELETE', '/v1/tokens/jt_1', () => Promise.reject(error))).toMatchObject({
        status: 500,
        json: {},
        log: ['[x] DELETE /v1/tokens/jt_1: a bug'],
      })
  })

  test.for([
    ['GET', '/v1/agents/agent_1'],
    ['DELETE', '/'],
    ['DELETE', '/v1/agents/'],
    ['POST', '/v1/agents//remove'],
    ['POST', '/v1/tokens'],
    ['POST', '/v1/tokens?ttlMs=-1&uses=1'],
    ['POST', '/v1/tokens?ttlMs=1&uses=1&x'],
    ['DELETE', '/v1/agents/a/b'],
    ['DELETE', '/x/v1/agents/a'],
    ['DELETE', '/v1/others/a'],
    ['DELETE', '/v1/agents/a-b'],
    ['DELETE', `/v1/agents/${'x'.repeat(65)}`],
  ] as const)('is nothing by %s %s', async ([method, target]) => {
    expect(await asked(method, target)).toEqual({ status: 400, json: {}, revoked: [], log: [] })
  })
})

describe('a socket that can’t be opened', () => {
  test('is told of once, until it is open, and then again', async () => {
    const folder = path.join(scratchFolder(), 'data')
    const socketPath = hubSocketPath(folder)
    const log: string[] = []
    const control = await startHubControl(socketPath, NO_HUB, (line) => void log.push(line))
    const isTold = [
      expect.stringMatching(
        /^\[!\] Could not open \S+hub\.sock: .+; until that is fixed, revocations take up to a second$/,
      ),
    ]
    expect(log).toEqual(isTold)
    await control.look()
    mkdirSync(folder)
    expect(existsSync(socketPath)).toBe(false)
    await control.look()
    const asking = { socketPath, method: 'GET', path: '/', timeoutMs: 30_000 }
    expect(await requestLocally(asking)).toMatchObject({ status: 400 })
    expect(log).toEqual(isTold)

    rmSync(folder, { recursive: true })
    await control.look()
    expect(log).toEqual([...isTold, ...isTold])
    await control.close()
  })

  test('does not keep the hub from its end', async () => {
    const socketPath = hubSocketPath(path.join(scratchFolder(), 'none'))
    const control = await startHubControl(socketPath, NO_HUB, () => {})
    await expect(control.close()).resolves.toBeUndefined()
  })
})

test('a socket that is in place is left as it is', async () => {
  const socketPath = hubSocketPath(scratchFolder())
  const control = await startHubControl(socketPath, NO_HUB, () => {})
  onTestFinished(() => control.close())
  const changedAt = () => lstatSync(socketPath, { bigint: true }).ctimeNs
  const before = changedAt()
  await control.look()
  expect(changedAt()).toBe(before)
})

test('a socket is gone once it is closed', async () => {
  const socketPath = hubSocketPath(scratchFolder())
  const control = await startHubControl(socketPath, NO_HUB, () => {})
  expect(existsSync(socketPath)).toBe(true)
  await control.close()
  expect(existsSync(socketPath)).toBe(false)
})
