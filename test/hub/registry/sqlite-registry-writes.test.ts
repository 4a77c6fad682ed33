import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { utimesSync } from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { SqliteRegistry } from '../../../src/hub/registry/sqlite-registry.ts'
import type { StoreReply } from '../../../src/hub/store/store-server.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const HOUR = 3_600_000

async function folderWithToken(uses: number): Promise<{ folder: string; token: string }> {
  const folder = scratchFolder()
  const store = await Store.open(folder)
  const { token } = store.createToken({ ttlMs: HOUR, uses })
  store.close()
  return { folder, token }
}

function requestOf(token: string, number: number) {
  const key = { kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') } as const
  return { token, agent: agentIdOf(key), key, label: `agent-${String(number).padStart(4, '0')}` }
}

async function open(folder: string): Promise<SqliteRegistry> {
  const failures: Error[] = []
  const registry = await SqliteRegistry.open(folder, {
    gone: () => {},
    failed: (error) => failures.push(error),
    log: () => {},
  })
  onTestFinished(async () => {
    await registry.close()
    expect(failures).toEqual([])
  })
  return registry
}

function listOf(services: Record<string, number>): { name: string; port: number }[] {
  return Object.entries(services).map(([name, port]) => ({ name, port }))
}

/** Changes of the database that any connection has made, as another one counts them. */
async function changeWatch(folder: string): Promise<() => boolean> {
  const store = await Store.open(folder)
  onTestFinished(() => store.close())
  let seen = store.dataVersion()
  return () => {
    const before = seen
    seen = store.dataVersion()
    return seen !== before
  }
}

test('an agent that joins costs the same however many are there: one answer, about that one', async () => {
  const count = 2000
  const { folder, token } = await folderWithToken(count)
  const worker = new Worker(new URL('../../../src/hub/store/store-worker.ts', import.meta.url), {
    workerData: { folder },
  })
  const replies: StoreReply[] = []
  const answered = new Promise<void>((resolve) => {
    worker.on('message', (reply: StoreReply) => {
      if ('id' in reply && replies.push(reply) === count) resolve()
    })
  })
  const requests = Array.from({ length: count }, (_, number) => requestOf(token, number))
  for (const [id, request] of requests.entries()) worker.postMessage({ id, method: 'join', args: [request] })
  await answered
  worker.postMessage('close')
  await once(worker, 'exit')
  expect(replies).toEqual(
    requests.map(({ agent, key, label }, id) => ({
      id,
      result: { id: agent, workspace: 'default', key, label, joinedAt: expect.any(Number), revoked: false },
    })),
  )
})

test('the registry knows an agent as soon as it has joined, beside all others', async () => {
  const { folder, token } = await folderWithToken(3)
  const registry = await open(folder)
  const requests = [0, 1, 2].map((number) => requestOf(token, number))
  expect(await Promise.all(requests.map((request) => registry.join(request)))).toEqual([true, true, true])
  for (const { agent, key, label } of requests)
    expect(registry.agent(agent)).toMatchObject({ key, label, revoked: false })
  const late = requestOf(token, 4)
  expect(await registry.join(late)).toBe(false)
  expect(registry.agent(late.agent)).toBeUndefined()
})

test('a registry that is opened again has no thread until something is to be written', async () => {
  const { folder, token } = await folderWithToken(1)
  const then = Date.now() / 1000 - 60
  utimesSync(path.join(folder, 'hub.db'), then, then)
  const workers: Worker[] = []
  const note = (worker: Worker) => void workers.push(worker)
  process.on('worker', note)
  onTestFinished(() => void process.off('worker', note))
  const registry = await open(folder)
  await setImmediate()
  expect(workers).toHaveLength(0)
  expect(await registry.join(requestOf(token, 1))).toBe(true)
  expect(workers).toHaveLength(1)
})

test('a claim that changes nothing is not written; any other is', async () => {
  const { folder, token } = await folderWithToken(2)
  const registry = await open(folder)
  const [one, other] = [requestOf(token, 1), requestOf(token, 2)]
  for (const request of [one, other]) await registry.join(request)
  const changed = await changeWatch(folder)
  const claim = async (request: typeof one, services: Record<string, number>) => {
    const agent = registry.agent(request.agent)!
    await registry.claim(agent, listOf(services))
    // What was taken back is saved behind the answer; one is written after the other.
    await registry.join(requestOf('none', 3))
    await registry.join(requestOf('none', 4))
    return changed()
  }
  expect(await claim(one, {})).toBe(false)
  expect(await claim(one, { web: 80, api: 81 })).toBe(true)
  expect(await claim(one, { api: 81, web: 80 })).toBe(false)
  expect(await claim(one, { api: 82, web: 80 })).toBe(true)
  expect(await claim(one, { api: 82 })).toBe(true)
  expect(await claim(other, { api: 1, web: 80 })).toBe(true)
  expect(await claim(other, { api: 1, web: 80 })).toBe(false)
  expect(registry.services('default').map(({ name, port, agent }) => [name, port, agent])).toEqual([
    ['api', 82, one.agent],
    ['web', 80, other.agent],
  ])
  await registry.remove(one.agent)
  expect(await claim(other, { api: 1, web: 80 })).toBe(true)
  const store = await Store.open(folder)
  onTestFinished(() => store.close())
  expect(store.snapshot().services).toEqual(
    expect.arrayContaining([
      { workspace: 'default', name: 'api', agent: other.agent, port: 1 },
      { workspace: 'default', name: 'web', agent: other.agent, port: 80 },
    ]),
  )
})
