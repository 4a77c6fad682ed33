import { afterEach, beforeEach, test, vi } from 'vitest'
import { fuzzAgent, fuzzHub } from '../tunnel/helpers/fuzzed.ts'
import { soakSuite } from './helpers/soak.ts'

/** A world of its own for each, so that a failure is found by running little. */
const FRAMES = 100_000

soakSuite('frames of a peer that breaks every rule', ({ random, length }) => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  test('cost neither a hub nor an agent more than that link', async () => {
    const rounds = length({ short: 3, long: 50 })
    for (let round = 0; round < rounds; round++) {
      const seeds = [random.between(0, 2 ** 31), random.between(0, 2 ** 31)] as const
      await fuzzHub(FRAMES, seeds[0])
      await fuzzAgent(FRAMES, seeds[1])
    }
    console.log(`${2 * rounds * FRAMES} frames`)
  })
})
