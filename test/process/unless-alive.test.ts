import { expect, test } from 'vitest'
import { spawnUnlessAlive } from '../../src/process/unless-alive.ts'

test.skipIf(process.platform === 'win32')(
  'it can be stopped at any moment of its start, and is not waited for',
  async () => {
    const begin = performance.now()
    for (let round = 0; round < 150; round++) {
      const watch = spawnUnlessAlive(['/bin/false'], { waitMs: 60_000, env: {}, onEnd: () => {} })
      const until = performance.now() + (round % 50) / 10
      while (performance.now() < until);
      await watch.stop()
    }
    // One that was not ended is waited for by the minute.
    expect(performance.now() - begin).toBeLessThan(50_000)
  },
)
