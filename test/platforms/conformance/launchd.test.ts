import { homedir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { platformConformance } from '../../../src/platforms/conformance/conformance.ts'
import { launchd } from '../../../src/platforms/launchd/description.ts'
import { FAKE_RUNS_HERE, FakeLaunchd } from '../../helpers/launchctl/fake.ts'

// What the agent ends with where only a human can help: see kept/exit-code.ts.
const common = { description: launchd, fatalExitCode: 0 }

describe.runIf(FAKE_RUNS_HERE)('on a launchd that stands for the real one (Linux only)', () => {
  const env: NodeJS.ProcessEnv = {}
  const suites = (['agent', 'hub'] as const).map((kind) => ({
    kind,
    ...platformConformance({ ...common, kind, env }),
  }))
  let fake: FakeLaunchd

  beforeAll(async () => {
    fake = await FakeLaunchd.start(homedir())
    Object.assign(env, fake.env)
  })

  afterAll(async () => {
    for (const suite of suites) await suite.close()
    await fake.close()
  })

  for (const { kind, checks } of suites)
    for (const { title, run } of checks)
      test(`${kind}: ${title}`, { tags: ['variation'], timeout: 120_000 }, run)
})

const isRunnersMac = process.platform === 'darwin' && process.env.CI !== undefined

describe.runIf(isRunnersMac)('on this Mac’s own launchd (where CI is set: it adds jobs for a while)', () => {
  const suite = (kind: 'agent' | 'hub') => ({
    kind,
    ...platformConformance({
      ...common,
      kind,
      // launchd knows one home folder of a user.
      env: { HOME: homedir() },
      writesTo: [path.join(homedir(), 'Library', 'LaunchAgents')],
    }),
  })
  const suites = [suite('agent'), suite('hub')]

  afterAll(async () => {
    for (const suite of suites) await suite.close()
  })

  for (const { kind, checks } of suites)
    for (const { title, run } of checks)
      test(`${kind}: ${title}`, { tags: ['variation'], timeout: 300_000 }, run)
})
