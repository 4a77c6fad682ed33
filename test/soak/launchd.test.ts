import { expect, test } from 'vitest'
import { atOnce } from '../fixtures/at-once.ts'
import { LaunchdTrials } from './helpers/launchd-trials.ts'
import { Random } from './helpers/random.ts'
import { soakSuite } from './helpers/soak.ts'

/** Each has a launchd of its own. */
const MACHINES = 6

soakSuite('launchd at random, misbehaving at random', ({ random, length }) => {
  // Each command listens on them, and would be the only one of its process.
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0)

  test('what is said, what launchd has and what runs agree', async () => {
    const sequences = length({ short: 200, long: 2000 })
    const seeds = Array.from({ length: MACHINES }, () => random.between(0, 2 ** 31))
    const counts = new Map<string, number>()
    await atOnce(MACHINES, seeds, async (seed) => {
      const trials = await LaunchdTrials.start(new Random(seed), counts)
      try {
        for (let number = 1; number <= Math.ceil(sequences / MACHINES); number++)
          await trials.sequence(number)
      } finally {
        await trials.close()
      }
    })
    for (const [what, count] of [...counts].toSorted(([one], [other]) => one.localeCompare(other)))
      console.log(`${count} × ${what}`)
    expect(counts.size).toBeGreaterThan(5)
  })
})
