import { expect, onTestFinished, test, vi } from 'vitest'
import { RegistryWorld } from '../../fixtures/hub/registry-world.ts'

const MINUTE = 60_000

async function started() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const world = await RegistryWorld.start()
  const [ada, bob] = [await world.member('ada'), await world.member('bob')]
  const asked = () => world.database.asked.filter((method) => method === 'setSeen').length
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms)
  }
  const seenBy = async () =>
    Object.fromEntries((await world.stored()).agents.map(({ label, lastSeen }) => [label, lastSeen]))
  return { world, ada, bob, asked, pass, seenBy }
}

test('when machines were seen is saved for all of them at once, and once a minute at most', async () => {
  const { world, ada, bob, asked, pass, seenBy } = await started()
  expect(world.registry.lastSeen(ada)).toBeUndefined()
  for (let n = 0; n < 100; n++) {
    world.registry.seen(ada)
    world.registry.seen(bob)
    await pass(100)
  }
  const last = world.registry.lastSeen(ada)!
  expect(asked()).toBe(0)
  await pass(MINUTE)
  expect(asked()).toBe(1)
  expect(await seenBy()).toEqual({ ada: last, bob: last })
  await pass(60 * MINUTE)
  expect(asked()).toBe(1)
})

test('a hub that starts knows when machines were seen before', async () => {
  const { world, ada, pass } = await started()
  world.registry.seen(ada)
  const last = world.registry.lastSeen(ada)
  await pass(MINUTE)
  await world.close()
  const again = await RegistryWorld.start(world.folder)
  expect(again.registry.lastSeen(ada)).toBe(last)
})

test('what can’t be saved on a full disk is saved with what is seen later, and is no change that is lost', async () => {
  const { world, ada, bob, pass, seenBy } = await started()
  world.database.full()
  world.registry.seen(ada)
  const last = world.registry.lastSeen(ada)
  await pass(MINUTE)
  expect(world.registry.unsaved).toMatchObject({ changes: 0 })
  world.database.trouble = undefined
  world.registry.seen(bob)
  await pass(MINUTE)
  expect(await seenBy()).toMatchObject({ ada: last, bob: expect.any(Number) })
})

test('a machine that is no member is not noted', async () => {
  const { world, ada, asked, pass } = await started()
  await world.registry.removeAgent(ada)
  world.registry.seen(ada)
  world.registry.seen('agent_0')
  await pass(MINUTE)
  expect(asked()).toBe(0)
})
