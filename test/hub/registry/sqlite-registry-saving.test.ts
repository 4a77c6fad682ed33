import { expect, test } from 'vitest'
import { RegistryWorld } from '../../fixtures/hub/registry-world.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

test('on a full disk what is new is refused and why, and what was there stays', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  expect(await world.claim(ada, { web: 80, api: 81 })).toEqual([])
  world.database.full()
  expect(await world.claim(ada, { web: 80, api: 82, new: 83 })).toEqual([
    { name: 'api', reason: 'its disk is full' },
    { name: 'new', reason: 'its disk is full' },
  ])
  expect(world.names).toEqual({ web: ada, api: ada })
  expect(world.registry.service('default', 'api')?.port).toBe(81)
  const eve = world.join('eve')
  await expect(world.registry.join(eve)).rejects.toThrow('its disk is full')
  expect(world.registry.agent(eve.agent)).toBeUndefined()
  expect((await world.stored()).tokens).toMatchObject([{ usesLeft: 49 }])
  expect(world.failed).toEqual([])
})

test('what agents come back with is confirmed on a full disk too, since it is saved', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  await world.claim(ada, { web: 80 })
  world.database.full()
  const asked = world.database.asked.length
  expect(await world.claim(ada, { web: 80 })).toEqual([])
  expect(world.database.asked).toHaveLength(asked)
})

test('a name that is taken back on a full disk is free at once, and saved once there is room', async () => {
  const world = await RegistryWorld.start()
  const [ada, eve] = [await world.member('ada'), await world.member('eve')]
  await world.claim(ada, { web: 80, api: 81 })
  world.database.full()
  expect(await world.claim(ada, { api: 81 })).toEqual([])
  expect(world.names).toEqual({ api: ada })
  world.database.trouble = undefined
  expect(await world.claim(eve, { web: 80 })).toEqual([])
  await world.close()
  expect((await world.stored()).names).toEqual({ api: ada, web: eve })
})

test('trouble is told once when it begins, and once when all is saved', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  await world.claim(ada, { web: 80 })
  world.database.full()
  for (let turn = 0; turn < 5; turn++) await world.claim(ada, { web: 80, [`n${turn}`]: 1 })
  await world.claim(ada, {})
  world.database.trouble = undefined
  await expect.poll(async () => (await world.stored()).names, { timeout: 30_000 }).toEqual({})
  await expect.poll(() => world.log, { timeout: 30_000 }).toHaveLength(2)
  expect(world.registry.unsaved).toBeUndefined()
  expect(world.log).toEqual([
    '[!] The hub can’t save what changes, and tries again: its disk is full',
    '[ok] The hub saves what changes again, and all is saved',
  ])
})

test('a revocation on a full disk holds at once, is said not to be saved, and is written first', async () => {
  const world = await RegistryWorld.start()
  const [ada, eve] = [await world.member('ada'), await world.member('eve')]
  await world.claim(ada, { web: 80 })
  world.database.full()
  expect(await world.registry.revokeAgent(ada)).toEqual({ saved: false, reason: 'its disk is full' })
  expect(await world.registry.revokeToken(world.tokenId)).toEqual({
    saved: false,
    reason: 'its disk is full',
  })
  expect(world.registry.unsaved).toEqual({ changes: 2, reason: 'its disk is full' })
  expect(world.registry.memberCount).toBe(1)
  expect(world.gone).toEqual(['ada revoked'])
  expect(world.names).toEqual({})
  expect(world.registry.agent(ada)?.revoked).toBe(true)
  world.database.trouble = undefined
  world.database.asked.length = 0
  // The token is revoked though the database doesn't have that yet.
  expect(await Promise.all([world.claim(eve, { web: 80 }), world.registry.join(world.join('bob'))])).toEqual([
    [],
    false,
  ])
  expect(world.database.asked.slice(0, 2).toSorted()).toEqual(['revokeAgent', 'revokeToken'])
  const { agents, names, tokens } = await world.stored()
  expect(agents).toMatchObject([
    { label: 'ada', revoked: true },
    { label: 'eve', revoked: false },
  ])
  expect({ names, tokens }).toMatchObject({ names: { web: eve }, tokens: [{ state: 'revoked' }] })
})

test('a revocation that is asked for again is tried again', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  world.database.full()
  expect(await world.registry.revokeAgent(ada)).toMatchObject({ saved: false })
  world.database.trouble = undefined
  expect(await world.registry.revokeAgent(ada)).toEqual({ saved: true })
  expect(await world.registry.revokeAgent(ada)).toEqual({ saved: true })
  expect((await world.stored()).agents).toMatchObject([{ revoked: true }])
})

test('who is or is not there is told of revocations, on a full disk too', async () => {
  const world = await RegistryWorld.start()
  expect((await rejectionOf(world.registry.revokeAgent('agent_0000000000000000'))).code).toBe('NO_SUCH_ENTRY')
  expect((await rejectionOf(world.registry.revokeToken('jt_00000000'))).code).toBe('NO_SUCH_ENTRY')
})

test('join tokens are told by their ids, the newest first, but for those that let nobody in', async () => {
  const world = await RegistryWorld.start()
  const make = async () => (await world.registry.createToken({ ttlMs: 60_000, uses: 1 })).id
  const [older, newer] = [await make(), await make()]
  await world.registry.createToken({ ttlMs: -1, uses: 1 })
  const told = async (limit: number) => (await world.registry.validTokens(limit)).map(({ id }) => id)
  expect(await told(10)).toEqual([newer, older, world.tokenId])
  expect(await told(1)).toEqual([newer])
  world.database.full()
  expect(await world.registry.revokeToken(newer)).toMatchObject({ saved: false })
  world.database.trouble = undefined
  expect(await told(10)).toEqual([older, world.tokenId])
  const all = (await world.registry.tokens()).map(({ id, state }) => [id, state])
  expect(all).toContainEqual([newer, 'revoked'])
  expect(all).toHaveLength(4)
})

test('a flood of lists costs one write at a time, and those who join go before it', async () => {
  const world = await RegistryWorld.start()
  const flooders = await Promise.all(Array.from({ length: 5 }, (_, n) => world.member(`flooder-${n}`)))
  const release = world.database.hold()
  world.database.asked.length = 0
  const answers = flooders.flatMap((id) =>
    Array.from({ length: 50 }, (_, n) => world.claim(id, { [`${id.slice(6)}-${n % 2}`]: 80 })),
  )
  const joined = world.registry.join(world.join('ada'))
  const revoked = world.registry.revokeAgent(flooders[4]!)
  release()
  expect(await joined).toBe(true)
  expect(await revoked).toEqual({ saved: true })
  await Promise.all(answers)
  expect(world.database.asked.slice(0, 3)).toEqual(['setAgent', 'revokeAgent', 'join'])
  expect(world.database.asked.length).toBeLessThan(10)
  await world.close()
  expect((await world.stored()).names).toEqual(world.names)
})

test('a list that is on its way when the agent is revoked gets no answer, and no name', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  const release = world.database.hold()
  const claimed = [world.claim(ada, { web: 80 }), world.claim(ada, { web: 80, api: 81 })]
  const revoked = world.registry.revokeAgent(ada)
  const late = world.claim(ada, { late: 80 })
  release()
  expect(await revoked).toEqual({ saved: true })
  expect(await Promise.all([...claimed, late])).toEqual([undefined, undefined, undefined])
  expect((await world.stored()).names).toEqual({})
  expect(world.names).toEqual({})
})

test('an agent that leaves is forgotten at once, whatever it has under way', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  const release = world.database.hold()
  const claimed = world.claim(ada, { web: 80 })
  world.registry.setLabel(ada, 'lovelace')
  const left = [world.registry.remove(ada), world.registry.remove(ada)]
  expect(world.registry.agent(ada)).toBeUndefined()
  release()
  expect(await Promise.all(left)).toEqual([{ saved: true }, { saved: true }])
  expect(await claimed).toBeUndefined()
  expect(await world.stored()).toMatchObject({ agents: [], names: {} })
  expect(world.gone).toEqual(['lovelace logged out'])
})

test('who leaves on a full disk and comes back with the same key is a member, now and after a restart', async () => {
  const world = await RegistryWorld.start()
  const request = world.join('ada')
  await world.registry.join(request)
  await world.claim(request.agent, { web: 80 })
  world.database.full()
  expect(await world.registry.remove(request.agent)).toMatchObject({ saved: false })
  expect(world.names).toEqual({})
  world.database.trouble = undefined
  expect(await world.registry.join({ ...request, label: 'again' })).toBe(true)
  await world.close()
  expect(await world.stored()).toMatchObject({ agents: [{ label: 'again' }], names: {} })
})

test('the same key joined by many at once is spent once; revoked meanwhile, it is out', async () => {
  const world = await RegistryWorld.start()
  const request = world.join('ada')
  const release = world.database.hold()
  const joins = Array.from({ length: 20 }, () => world.registry.join(request))
  const revoked = world.registry.revokeAgent(request.agent)
  release()
  expect(new Set(await Promise.all(joins))).toContain(true)
  expect(await revoked).toEqual({ saved: true })
  expect(await world.registry.join(request)).toBe(false)
  const { agents, tokens } = await world.stored()
  expect(agents).toMatchObject([{ revoked: true }])
  expect(tokens).toMatchObject([{ usesLeft: 49 }])
})

test('a statement that the database rejects ends nothing', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  world.database.trouble = { kind: 'rejected', reason: 'FOREIGN KEY constraint failed' }
  expect(await world.claim(ada, { web: 80 })).toMatchObject([{ name: 'web' }])
  await expect(world.registry.join(world.join('eve'))).rejects.toThrow('FOREIGN KEY')
  world.database.trouble = undefined
  expect(await world.claim(ada, { web: 80 })).toEqual([])
  expect(world.failed).toEqual([])
})

test('damage is the end', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  world.database.trouble = { kind: 'damaged', reason: 'database disk image is malformed' }
  await world.claim(ada, { web: 80 })
  expect(world.failed).toMatchObject([{ code: 'HUB_DATA_DAMAGED' }])
  expect(world.failed[0]?.message).toContain('database disk image is malformed')
})
