import { homedir } from 'node:os'
import { afterAll, describe, test } from 'vitest'
import { platformConformance } from '../../src/platforms/conformance/conformance.ts'
import { launchd } from '../../src/platforms/launchd/description.ts'
import { FAKE_RUNS_HERE, FakeLaunchd } from '../helpers/launchctl/fake.ts'

describe.runIf(FAKE_RUNS_HERE)('on a launchd that stands for the real one', async () => {
  const fake = FAKE_RUNS_HERE ? await FakeLaunchd.start(homedir()) : undefined
  const suite = platformConformance({ description: launchd, env: fake?.env ?? {}, fatalExitCode: 0 })

  afterAll(async () => {
    await suite.close()
    await fake?.close()
  })

  for (const { title, run } of suite.checks) test(title, { timeout: 120_000 }, run)
})
