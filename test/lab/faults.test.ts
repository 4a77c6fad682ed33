import { expect, test } from 'vitest'
import { agentScene, hubScene, reachScene, type Scene } from '../helpers/faults/scenes.ts'
import { faultsOf } from '../helpers/faults/trials.ts'

const SCENES: Record<string, () => Promise<Scene>> = {
  'a kept-alive agent': () => agentScene({ CONNECT_DAEMON: '1' }),
  'an agent in the foreground': () => agentScene({}),
  reach: reachScene,
  'a hub': hubScene,
}

// What a machine that has run out of something does, call by call: it can't be made to happen otherwise.
test.for(Object.keys(SCENES))(
  '%s outlives each call of the system that fails, and does all again',
  { timeout: 900_000 },
  async (name) => {
    const { count, functions, wrong } = await faultsOf(SCENES[name]!)
    expect(wrong).toEqual([])
    expect(functions.length).toBeGreaterThan(2)
    expect(count).toBeGreaterThan(8 * functions.length)
  },
)
