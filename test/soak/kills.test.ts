import { afterAll, beforeAll, test } from 'vitest'
import { atOnce } from '../fixtures/at-once.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { World } from '../helpers/world.ts'
import { Machine } from './helpers/machine.ts'
import { Random } from './helpers/random.ts'
import { soakSuite } from './helpers/soak.ts'
import { Trials } from './helpers/trials.ts'

const HOMES = 2

soakSuite('kills at random moments', ({ random, length }) => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test('leave whole files, and an agent that is found or none', async () => {
    const kills = length({ short: 100, long: 1000 })
    const token = await world.joinToken(['--uses', '10000', '--ttl', '6h'])
    const trials = Array.from({ length: HOMES }, (_, index) => {
      const machine = new Machine(emptyHome(), world.hubUrl, token)
      return new Trials(machine, `m${index}`, new Random(random.between(0, 2 ** 31)))
    })
    const failed = new AbortController()
    await atOnce(HOMES, trials, (one) =>
      one.run(kills / HOMES, failed.signal).catch((error: unknown) => {
        failed.abort()
        throw error
      }),
    )
    const counted = trials.flatMap((one) => [...one.kills])
    const totals = Map.groupBy(counted, ([title]) => title)
    for (const [title, counts] of totals)
      console.log(`${counts.reduce((sum, [, count]) => sum + count, 0)} × ${title}`)
  })
})
