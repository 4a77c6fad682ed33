import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { UnsavedChanges } from '../../../src/hub/registry/unsaved-changes.ts'
import { SaveQueue } from '../../../src/hub/store/save-queue.ts'
import { Store, type Agent } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { TroubledStore } from '../../fixtures/hub/troubled-store.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const FULL = { saved: false, reason: 'its disk is full' }

/** Two agents that have joined, and the token they did it with. Time stands still until a test moves it. */
async function start() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const folder = scratchFolder()
  const database = await TroubledStore.open(folder)
  onTestFinished(() => database.close())
  const { token, id: tokenId } = database.store.createToken({ ttlMs: 3_600_000, uses: 9 })
  const join = (label: string) => {
    const key = { kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') } as const
    return database.store.join({ token, agent: agentIdOf(key), key, label })!
  }
  const [ada, eve] = [join('ada'), join('eve')]
  const log: string[] = []
  const queue = new SaveQueue({ damaged: () => {}, log: (line) => log.push(line) })
  onTestFinished(() => queue.close())
  return {
    database,
    queue,
    log,
    tokenId,
    ada,
    eve,
    changes: new UnsavedChanges(queue, database),
    /** What a hub that started now would find. */
    stored: async () => {
      const store = await Store.open(folder)
      const agents = store.agents().map(({ label, revoked }) => (revoked ? `${label}, revoked` : label))
      const [made] = store.tokens()
      store.close()
      return { agents, token: made!.state }
    },
  }
}

const labels = (agents: Map<string, Agent>) =>
  [...agents.values()].map(({ label, revoked }) => (revoked ? `${label}, revoked` : label))
const byId = (...agents: Agent[]) => new Map(agents.map((agent) => [agent.id, agent]))

describe('on a full disk', () => {
  test('changes are kept, and saved once there is room, the revocations first', async () => {
    const { database, changes, ada, eve, tokenId, stored } = await start()
    database.full()
    expect(await changes.removeAgent(ada.id, false)).toEqual(FULL)
    expect(await changes.revokeToken(tokenId)).toEqual(FULL)
    expect(await changes.revokeAgent(eve.id)).toEqual(FULL)
    expect(changes.isRemoved(ada.id)).toBe(true)
    expect(changes.revokedTokens).toEqual([tokenId])
    expect(await stored()).toEqual({ agents: ['ada', 'eve'], token: 'valid' })
    database.trouble = undefined
    database.asked.length = 0
    await vi.advanceTimersByTimeAsync(15_000)
    expect(database.asked.slice(0, 2).toSorted()).toEqual(['revokeAgent', 'revokeToken'])
    expect(database.asked.slice(2)).toEqual(['removeAgent'])
    expect(await stored()).toEqual({ agents: ['eve, revoked'], token: 'revoked' })
    expect(changes.isRemoved(ada.id)).toBe(false)
    expect(changes.revokedTokens).toEqual([])
  })

  test('who asks again has it tried at once', async () => {
    const { database, changes, ada, eve, tokenId, stored } = await start()
    database.full()
    await Promise.all([
      changes.removeAgent(ada.id, false),
      changes.revokeAgent(eve.id),
      changes.revokeToken(tokenId),
    ])
    expect(await changes.retryRemoval(ada.id)).toEqual(FULL)
    database.trouble = undefined
    expect(await changes.retryRemoval(ada.id)).toEqual({ saved: true })
    expect(await changes.retryRevocation(eve.id)).toEqual({ saved: true })
    expect(await changes.revokeToken(tokenId)).toEqual({ saved: true })
    expect(await stored()).toEqual({ agents: ['eve, revoked'], token: 'revoked' })
  })

  test('a hub that ends says how many changes are lost, and they are', async () => {
    const { database, changes, queue, ada, eve, log, stored } = await start()
    database.full()
    await changes.removeAgent(ada.id, false)
    await changes.revokeAgent(eve.id)
    await queue.close()
    expect(log.at(-1)).toBe('[!] 2 changes are lost: its disk is full')
    expect(await stored()).toEqual({ agents: ['ada', 'eve'], token: 'valid' })
  })

  test('a hub that ends once there is room loses nothing, and says so', async () => {
    const { database, changes, queue, ada, eve, log, stored } = await start()
    database.full()
    await changes.removeAgent(ada.id, false)
    await changes.revokeAgent(eve.id)
    database.trouble = undefined
    await queue.close()
    expect(log.at(-1)).toBe('[ok] The hub saves what changes again, and all is saved')
    expect(await stored()).toMatchObject({ agents: ['eve, revoked'] })
  })
})

test('what is saved already is not tried again', async () => {
  const { database, changes, ada, eve } = await start()
  await changes.removeAgent(ada.id, false)
  await changes.revokeAgent(eve.id)
  database.asked.length = 0
  expect(await changes.retryRemoval(ada.id)).toEqual({ saved: true })
  expect(await changes.retryRevocation(eve.id)).toEqual({ saved: true })
  expect(database.asked).toEqual([])
})

test('all who revoke a join token that there is not hear so, though it is looked for once', async () => {
  const { database, changes } = await start()
  const release = database.hold()
  const revoked = [changes.revokeToken('jt_00000000'), changes.revokeToken('jt_00000000')]
  release()
  expect(await Promise.all(revoked)).toEqual([undefined, undefined])
  expect(database.asked).toEqual(['revokeToken'])
})

test('a removal that was saved when its agent joined anew is not written any more', async () => {
  const { database, changes, ada, stored } = await start()
  database.full()
  await changes.removeAgent(ada.id, false)
  database.trouble = undefined
  changes.joined(ada.id)
  expect(changes.isRemoved(ada.id)).toBe(false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(database.asked).toEqual(['removeAgent'])
  expect((await stored()).agents).toEqual(['ada', 'eve'])
})

describe('a database that another process has changed', () => {
  test('brings back nobody whose removal is not saved', async () => {
    const { database, changes, ada, eve } = await start()
    database.full()
    await changes.removeAgent(ada.id, false)
    expect(labels(changes.appliedTo(database.store.agents(), byId(eve)))).toEqual(['eve'])
  })

  test('lets nobody in who was revoked, whether it knows or not', async () => {
    const { changes, ada, eve } = await start()
    const before = byId({ ...ada, revoked: true }, eve)
    expect(labels(changes.appliedTo([ada, eve], before))).toEqual(['ada, revoked', 'eve'])
    expect(labels(changes.appliedTo([eve], before))).toEqual(['ada, revoked', 'eve'])
    expect(labels(changes.appliedTo([ada, { ...eve, revoked: true }], before))).toEqual([
      'ada, revoked',
      'eve, revoked',
    ])
  })

  test('has the revocations that it lacks written to it, once', async () => {
    const { database, changes, ada, eve, stored } = await start()
    const before = byId({ ...ada, revoked: true }, eve)
    const release = database.hold()
    changes.revokeAgain([ada, eve], before)
    changes.revokeAgain([ada, eve], before)
    release()
    expect(await changes.retryRevocation(ada.id)).toEqual({ saved: true })
    expect(database.asked).toEqual(['revokeAgent'])
    expect((await stored()).agents).toEqual(['ada, revoked', 'eve'])
  })
})
