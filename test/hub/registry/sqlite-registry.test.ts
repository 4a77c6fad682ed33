import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { SqliteRegistry } from '../../../src/hub/registry/sqlite-registry.ts'
import { StoreError } from '../../../src/hub/store/store-error.ts'
import { RegistryWorld } from '../../fixtures/hub/registry-world.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

/** All that is under way and needs no timer is done after it. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('a hub that starts', () => {
  test('knows who had joined, and whose names there are', async () => {
    const first = await RegistryWorld.start()
    const [ada, eve] = [await first.member('ada'), await first.member('eve')]
    await first.claim(ada, { web: 80 })
    await first.registry.revokeAgent(eve)
    await first.close()
    const world = await RegistryWorld.start(first.folder)
    expect(world.registry.hubId).toBe(first.registry.hubId)
    expect(world.registry.agent(ada)).toMatchObject({ label: 'ada', revoked: false })
    expect(world.registry.agent(eve)).toMatchObject({ label: 'eve', revoked: true })
    expect(world.registry.agent('agent_0000000000000000')).toBeUndefined()
    expect(world.registry.service('default', 'web')).toMatchObject({ agent: ada, port: 80 })
    expect(world.names).toEqual({ web: ada })
    // It is saved, so an agent that comes back with it costs nothing.
    expect(await world.claim(ada, { web: 80 })).toEqual([])
    expect(world.database.asked).toEqual([])
  })

  test('knows services without a port, and that they are saved', async () => {
    const first = await RegistryWorld.start()
    const ada = await first.member('ada')
    const services = [{ name: 'web', port: 80 }, { name: 'socket' }]
    const claim = (world: RegistryWorld) => world.registry.claim(world.registry.agent(ada)!, services)
    expect(await claim(first)).toEqual([])
    await first.close()
    const world = await RegistryWorld.start(first.folder)
    const found = world.registry.service('default', 'socket')
    expect([found?.agent, found?.port]).toEqual([ada, undefined])
    expect(await claim(world)).toEqual([])
    expect(world.database.asked).toEqual([])
  })

  test('gives a name without a port to nobody before it is saved', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    world.database.full()
    const agent = world.registry.agent(ada)!
    expect(await world.registry.claim(agent, [{ name: 'socket' }])).toEqual([
      { name: 'socket', reason: 'its disk is full' },
    ])
    expect(world.names).toEqual({})
  })

  test('leaves the database to its thread', async () => {
    const folder = scratchFolder()
    const events = { gone: () => {}, failed: () => {}, log: () => {} }
    const refuse = () => Promise.reject(new Error('not here'))
    const none = { call: refuse, mark: refuse, close: () => Promise.resolve() }
    await SqliteRegistry.open(folder, events, () => none)
    // SQLite removes it when the last connection is closed (https://sqlite.org/wal.html).
    expect(existsSync(path.join(folder, 'hub.db-wal'))).toBe(false)
  })

  test('is told when the thread of its database finds it damaged', async () => {
    const world = await RegistryWorld.start()
    const error = new StoreError({ kind: 'damaged', reason: 'file is not a database' })
    world.events.damaged(error)
    expect(world.failed).toMatchObject([
      {
        code: 'HUB_DATA_DAMAGED',
        message: 'The hub’s database is damaged: file is not a database',
        cause: error,
      },
    ])
  })
})

describe('who joins', () => {
  test('is written once, however often the same key asks at once, and not again later', async () => {
    const world = await RegistryWorld.start()
    const request = world.join('ada')
    expect(await Promise.all([1, 2, 3].map(() => world.registry.join(request)))).toEqual([true, true, true])
    expect(await world.registry.join(request)).toBe(true)
    expect(world.database.asked).toEqual(['join'])
  })

  test('and is refused may ask again, and is out as before', async () => {
    const world = await RegistryWorld.start()
    const request = world.join('ada', 'tok_none')
    expect(await world.registry.join(request)).toBe(false)
    expect(await world.registry.join(request)).toBe(false)
    expect(world.registry.agent(request.agent)).toBeUndefined()
    expect(world.database.asked).toEqual(['join', 'join'])
  })

  test('and could not be saved is not joined behind its back, but may ask again', async () => {
    const world = await RegistryWorld.start()
    const request = world.join('ada')
    world.database.full()
    await expect(world.registry.join(request)).rejects.toThrow('its disk is full')
    world.database.trouble = undefined
    world.database.asked.length = 0
    await world.member('eve')
    await settled()
    expect(world.database.asked).toEqual(['join'])
    expect(world.log.at(-1)).toBe('[ok] The hub saves what changes again, and all is saved')
    expect(await world.registry.join(request)).toBe(true)
    expect(world.registry.agent(request.agent)).toMatchObject({ label: 'ada' })
  })

  test('with a token that is revoked is refused, whatever became of saving that', async () => {
    const world = await RegistryWorld.start()
    world.database.trouble = { kind: 'rejected', reason: 'CHECK constraint failed' }
    const unsaved = { saved: false, reason: 'CHECK constraint failed' }
    expect(await world.registry.revokeToken(world.tokenId)).toEqual(unsaved)
    world.database.trouble = undefined
    expect(await world.registry.join(world.join('ada'))).toBe(false)
    expect((await world.stored()).tokens).toMatchObject([{ usesLeft: 50 }])
  })

  test('goes before any list of services', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve] = [await world.member('ada'), await world.member('eve')]
    world.database.asked.length = 0
    const release = world.database.hold()
    const claimed = [world.claim(ada, { web: 80 }), world.claim(eve, { api: 81 })]
    const joined = world.registry.join(world.join('bob'))
    release()
    expect(await joined).toBe(true)
    await Promise.all(claimed)
    expect(world.database.asked).toEqual(['setAgent', 'join', 'setAgent'])
  })

  test('again, while its logout is not saved, stays in, and that logout is not written any more', async () => {
    const world = await RegistryWorld.start()
    const request = world.join('ada')
    await world.registry.join(request)
    await world.claim(request.agent, { web: 80 })
    world.database.full()
    await world.registry.remove(request.agent)
    world.database.trouble = undefined
    world.database.asked.length = 0
    expect(await world.registry.join(request)).toBe(true)
    world.events.agents((await world.stored()).agents)
    expect(world.registry.agent(request.agent)).toMatchObject({ label: 'ada', revoked: false })
    // What it had is not its any more, until it claims it again.
    expect((await world.stored()).names).toEqual({})
    expect(await world.claim(request.agent, { web: 80 })).toEqual([])
    expect((await world.stored()).names).toEqual({ web: request.agent })
    expect(world.database.asked).toEqual(['join', 'setAgent'])
  })

  test('and is told to leave before it is in leaves when it is', async () => {
    const world = await RegistryWorld.start()
    const request = world.join('ada')
    const release = world.database.hold()
    const joined = world.registry.join(request)
    const left = world.registry.remove(request.agent)
    release()
    expect(await joined).toBe(true)
    expect(await left).toEqual({ saved: true })
    expect(world.registry.agent(request.agent)).toBeUndefined()
    expect((await world.stored()).agents).toEqual([])
  })
})

describe('a label', () => {
  test('that is new is in effect at once, and saved', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    world.registry.setLabel(ada, 'lovelace')
    expect(world.registry.agent(ada)).toMatchObject({ id: ada, label: 'lovelace', workspace: 'default' })
    await world.close()
    expect((await world.stored()).agents).toMatchObject([{ label: 'lovelace' }])
  })

  test('that is the same is not written, and neither is one of nobody or of one that was revoked', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve] = [await world.member('ada'), await world.member('eve')]
    await world.registry.revokeAgent(eve)
    world.database.asked.length = 0
    world.registry.setLabel(ada, 'ada')
    world.registry.setLabel(eve, 'evil')
    world.registry.setLabel('agent_0000000000000000', 'nobody')
    await settled()
    expect(world.database.asked).toEqual([])
    expect(world.registry.agent(eve)).toMatchObject({ label: 'eve' })
  })
})

describe('who leaves', () => {
  test('is gone once, and so it is saved', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    expect(await world.registry.remove(ada)).toEqual({ saved: true })
    expect(await world.registry.remove(ada)).toEqual({ saved: true })
    expect(world.gone).toEqual(['ada logged out'])
    expect(world.database.asked).toEqual(['join', 'removeAgent'])
    expect((await world.stored()).agents).toEqual([])
  })

  test('was never in if it was revoked', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    await world.registry.revokeAgent(ada)
    expect(await world.registry.remove(ada)).toEqual({ saved: true })
    expect(world.registry.agent(ada)).toMatchObject({ revoked: true })
    expect(world.gone).toEqual(['ada revoked'])
  })

  test('is told why that is not saved, each time, until it is', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    world.database.full()
    const unsaved = { saved: false, reason: 'its disk is full' }
    expect(await world.registry.remove(ada)).toEqual(unsaved)
    expect(await world.registry.remove(ada)).toEqual(unsaved)
    world.database.trouble = undefined
    expect(await world.registry.remove(ada)).toEqual({ saved: true })
  })
})

describe('a revocation of a machine', () => {
  test('is in effect once, and written once', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    const revoked = [world.registry.revokeAgent(ada), world.registry.revokeAgent(ada)]
    expect(world.registry.agent(ada)).toMatchObject({ id: ada, label: 'ada', revoked: true })
    expect(await Promise.all(revoked)).toEqual([{ saved: true }, { saved: true }])
    expect(await world.registry.revokeAgent(ada)).toEqual({ saved: true })
    expect(world.gone).toEqual(['ada revoked'])
    expect(world.database.asked).toEqual(['join', 'revokeAgent'])
  })

  test('of one that joins right now waits for that', async () => {
    const world = await RegistryWorld.start()
    const request = world.join('ada')
    const joined = world.registry.join(request)
    const revoked = world.registry.revokeAgent(request.agent)
    expect(await joined).toBe(true)
    expect(await revoked).toEqual({ saved: true })
    expect(world.registry.agent(request.agent)).toMatchObject({ revoked: true })
  })

  test('of one that was never here says so', async () => {
    const world = await RegistryWorld.start()
    await expect(world.registry.revokeAgent('agent_0000000000000000')).rejects.toMatchObject({
      code: 'NO_SUCH_ENTRY',
      message: 'There is no machine "agent_0000000000000000"',
    })
  })

  test('that comes while its list can’t be saved takes all of that back', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    const release = world.database.hold()
    const claimed = world.claim(ada, { web: 80 })
    const revoked = world.registry.revokeAgent(ada)
    world.database.full()
    release()
    expect(await revoked).toEqual({ saved: false, reason: 'its disk is full' })
    expect(await claimed).toBeUndefined()
    world.database.trouble = undefined
    world.database.asked.length = 0
    expect(await world.registry.revokeAgent(ada)).toEqual({ saved: true })
    await settled()
    expect(world.database.asked).toEqual(['revokeAgent'])
    expect(world.log.at(-1)).toBe('[ok] The hub saves what changes again, and all is saved')
  })

  test('goes before any member that joins or leaves', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve, bob] = [await world.member('ada'), await world.member('eve'), await world.member('bob')]
    world.database.asked.length = 0
    const release = world.database.hold()
    const all = [world.registry.remove(ada), world.registry.remove(eve), world.registry.revokeAgent(bob)]
    release()
    await Promise.all(all)
    expect(world.database.asked).toEqual(['removeAgent', 'revokeAgent', 'removeAgent'])
  })
})

describe('a revocation of a join token', () => {
  test('is written once, however many ask at once', async () => {
    const world = await RegistryWorld.start()
    const revoked = [world.registry.revokeToken(world.tokenId), world.registry.revokeToken(world.tokenId)]
    expect(await Promise.all(revoked)).toEqual([{ saved: true }, { saved: true }])
    expect(world.database.asked).toEqual(['revokeToken'])
    expect((await world.stored()).tokens).toMatchObject([{ id: world.tokenId, state: 'revoked' }])
  })

  test('is told not to be saved, each time, until it is', async () => {
    const world = await RegistryWorld.start()
    world.database.full()
    const unsaved = { saved: false, reason: 'its disk is full' }
    expect(await world.registry.revokeToken(world.tokenId)).toEqual(unsaved)
    expect(await world.registry.revokeToken(world.tokenId)).toEqual(unsaved)
    world.database.trouble = undefined
    expect(await world.registry.revokeToken(world.tokenId)).toEqual({ saved: true })
  })

  test('that is not known says so', async () => {
    const world = await RegistryWorld.start()
    await expect(world.registry.revokeToken('jt_00000000')).rejects.toMatchObject({
      code: 'NO_SUCH_ENTRY',
      message: 'There is no join token "jt_00000000"',
    })
  })

  test('that is saved is looked up again when it is asked for again', async () => {
    const world = await RegistryWorld.start()
    await world.registry.revokeToken(world.tokenId)
    expect(await world.registry.revokeToken(world.tokenId)).toEqual({ saved: true })
    expect(world.database.asked).toEqual(['revokeToken', 'revokeToken'])
  })
})

describe('a list of services', () => {
  test('of one that is no member any more gets no answer, and no name', async () => {
    const world = await RegistryWorld.start()
    const ada = world.registry.agent(await world.member('ada'))!
    await world.registry.remove(ada.id)
    world.database.asked.length = 0
    expect(await world.registry.claim(ada, [{ name: 'web', port: 80 }])).toBeUndefined()
    expect(world.names).toEqual({})
    expect(world.database.asked).toEqual([])
  })

  test('is taken but for what is another’s, and for what could not be saved', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve] = [await world.member('ada'), await world.member('eve')]
    await world.claim(ada, { web: 80 })
    await world.claim(eve, { api: 81 })
    world.database.full()
    expect(await world.claim(eve, { web: 1, api: 81, new: 2 })).toEqual([
      { name: 'web', owner: world.registry.agent(ada) },
      { name: 'new', reason: 'its disk is full' },
    ])
  })

  test('that only takes something back is answered at once, and saved behind that', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    await world.claim(ada, { web: 80, api: 81 })
    const release = world.database.hold()
    expect(await world.claim(ada, { web: 80 })).toEqual([])
    expect(world.names).toEqual({ web: ada })
    release()
    await world.close()
    expect((await world.stored()).names).toEqual({ web: ada })
  })

  test('that is told twice is written once', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    world.database.asked.length = 0
    expect(await Promise.all([world.claim(ada, { web: 80 }), world.claim(ada, { web: 80 })])).toEqual([
      [],
      [],
    ])
    expect(world.database.asked).toEqual(['setAgent'])
  })

  test('that is replaced before it is written is answered with the one that is', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve] = [await world.member('ada'), await world.member('eve')]
    const release = world.database.hold()
    const other = world.claim(eve, { ssh: 22 })
    const claimed = [world.claim(ada, { web: 80 }), world.claim(ada, { api: 81 })]
    release()
    expect(await other).toEqual([])
    expect(await Promise.all(claimed)).toEqual([[], []])
    expect((await world.stored()).names).toEqual({ ssh: eve, api: ada })
  })

  test('that goes back to what is saved, while another one is being written, is written after that', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    await world.claim(ada, { web: 80 })
    const release = world.database.hold()
    const other = world.claim(ada, { api: 81 })
    expect(await world.claim(ada, { web: 80 })).toEqual([])
    release()
    expect(await other).toEqual([])
    await world.close()
    expect(world.names).toEqual({ web: ada })
    expect((await world.stored()).names).toEqual({ web: ada })
  })

  test('of one that logs out before it is saved gets no answer', async () => {
    const world = await RegistryWorld.start()
    const ada = await world.member('ada')
    const release = world.database.hold()
    const claimed = world.claim(ada, { web: 80 })
    const left = world.registry.remove(ada)
    release()
    expect(await claimed).toBeUndefined()
    expect(await left).toEqual({ saved: true })
  })
})

describe('another process that has changed the database', () => {
  test('shuts out whom it has revoked or removed, once, and no one else', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve, bob] = [await world.member('ada'), await world.member('eve'), await world.member('bob')]
    await world.claim(ada, { web: 80 })
    await world.claim(bob, { api: 81 })
    world.database.store.revokeAgent(ada)
    world.database.store.removeAgent(eve)
    for (let time = 0; time < 2; time++) world.events.agents(world.database.store.agents())
    expect(world.gone).toEqual(['ada revoked', 'eve lost'])
    expect(world.registry.agent(ada)).toMatchObject({ revoked: true })
    expect(world.registry.agent(eve)).toBeUndefined()
    expect(world.registry.agent(bob)).toMatchObject({ revoked: false })
    expect(world.names).toEqual({ api: bob })
  })

  test('does not bring back who was revoked, though it has put an older file there', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve] = [await world.member('ada'), await world.member('eve')]
    const older = world.database.store.agents().filter(({ id }) => id === ada)
    await world.registry.revokeAgent(ada)
    await world.registry.revokeAgent(eve)
    world.events.agents(older)
    await settled()
    // In that file, too: a hub that starts knows no more than it.
    expect(world.database.asked.slice(2)).toEqual(['revokeAgent', 'revokeAgent', 'revokeAgent'])
    expect(world.registry.agent(ada)).toMatchObject({ revoked: true })
    expect(world.registry.agent(eve)).toMatchObject({ revoked: true })
    expect(world.gone).toEqual(['ada revoked', 'eve revoked'])
  })

  test('does not bring back who was revoked or has left, while that is not saved', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve] = [await world.member('ada'), await world.member('eve')]
    world.database.full()
    await world.registry.revokeAgent(ada)
    await world.registry.remove(eve)
    world.events.agents(world.database.store.agents())
    expect(world.registry.agent(ada)).toMatchObject({ revoked: true })
    expect(world.registry.agent(eve)).toBeUndefined()
    expect(world.gone).toEqual(['ada revoked', 'eve logged out'])
  })

  test('does not take back a label that is not saved yet; any other it may change', async () => {
    const world = await RegistryWorld.start()
    const [ada, eve] = [await world.member('ada'), await world.member('eve')]
    world.database.full()
    world.registry.setLabel(ada, 'lovelace')
    world.events.agents(world.database.store.agents().map((agent) => ({ ...agent, label: 'from elsewhere' })))
    expect(world.registry.agent(ada)).toMatchObject({ id: ada, label: 'lovelace' })
    expect(world.registry.agent(eve)).toMatchObject({ id: eve, label: 'from elsewhere' })
  })
})

test('a registry that is closed saves what is not saved yet, and lets go of its database', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  world.database.full()
  await world.registry.revokeAgent(ada)
  world.database.trouble = undefined
  await world.close()
  expect((await world.stored()).agents).toMatchObject([{ revoked: true }])
  expect(() => world.database.store.agents()).toThrow('database is not open')
})
