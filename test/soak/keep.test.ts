import { afterAll, beforeAll, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { connectOk } from '../helpers/cli.ts'
import { KeepTrials } from '../helpers/faults/keep-trials.ts'
import { World } from '../helpers/world.ts'
import { soakSuite } from './helpers/soak.ts'

soakSuite('kills under keep, move and unreach', ({ random, length }) => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test('leave whole files, nothing lost that was answered, and no port that nobody keeps', async () => {
    const home = await joined(world)
    await connectOk(home, ['daemon', 'start'])
    const trials = await KeepTrials.at(home, () => random.fraction())
    const count = length({ short: 60, long: 400 })
    for (let number = 0; number < count; number++) await trials.trial()
    for (const [victim, kills] of Object.entries(trials.kills)) console.log(`${kills} × the ${victim}`)
  })
})
