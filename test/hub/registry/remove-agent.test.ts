import { expect, test } from 'vitest'
import { RegistryWorld } from '../../fixtures/hub/registry-world.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

test('a machine that is removed is gone with its names, at once, though that can’t be saved', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  await world.claim(ada, { web: 80 })
  world.database.full()
  expect(await world.registry.removeAgent(ada)).toEqual({ saved: false, reason: 'its disk is full' })
  expect([world.registry.agent(ada), world.names, world.gone]).toEqual([undefined, {}, ['ada removed']])
  expect(await world.registry.removeAgent(ada)).toMatchObject({ saved: false })
  world.database.trouble = undefined
  expect(await world.registry.removeAgent(ada)).toEqual({ saved: true })
  expect((await world.stored()).agents).toEqual([])
  expect((await rejectionOf(world.registry.removeAgent(ada))).code).toBe('NO_SUCH_ENTRY')
})

test('one that was revoked is removed without being told of it again', async () => {
  const world = await RegistryWorld.start()
  const ada = await world.member('ada')
  await world.registry.revokeAgent(ada)
  expect(await world.registry.removeAgent(ada)).toEqual({ saved: true })
  expect(world.gone).toEqual(['ada revoked'])
  expect([...world.registry.agents()]).toEqual([])
})

/** Neither its revocation nor its removal is saved, and both could be now. */
async function removedOnFullDisk() {
  const world = await RegistryWorld.start()
  const request = world.join('ada')
  await world.registry.join(request)
  world.database.full()
  await world.registry.revokeAgent(request.agent)
  await world.registry.removeAgent(request.agent)
  world.database.trouble = undefined
  return { world, request }
}

test('one that asks to join before its removal is saved, and is refused, is removed all the same', async () => {
  const { world, request } = await removedOnFullDisk()
  world.database.asked.length = 0
  expect(await world.registry.join({ ...request, token: 'of another hub' })).toBe(false)
  await world.close()
  expect(world.database.asked).toEqual(['revokeAgent', 'join', 'removeAgent'])
  expect((await world.stored()).agents).toEqual([])
})

test('a revocation and a removal that could not be saved do not meet a machine that has joined anew since', async () => {
  const { world, request } = await removedOnFullDisk()
  expect(await world.registry.join(request)).toBe(true)
  await world.close()
  expect((await world.stored()).agents).toMatchObject([{ id: request.agent, revoked: false }])
})
