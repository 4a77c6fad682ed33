import { expect, onTestFinished, test, vi } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import type { PluginDescription } from '../../../src/platforms/platform.ts'
import { canInstall } from '../../../src/platforms/selection/can-install.ts'
import type { Brought } from '../../../src/platforms/selection/known-platforms.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const never = () => new Promise<never>(() => {})
const no: Partial<PluginDescription> = {}
const yes: Partial<PluginDescription> = { probe: async () => ({ available: true }) }
const hangs: Partial<PluginDescription> = { isInstalled: never, probe: never }
const installed: Partial<PluginDescription> = { isInstalled: async () => true, probe: never }
const fails: Partial<PluginDescription> = {
  probe: async () => {
    throw new Error('sv is gone')
  },
}

/** What can be installed where no built-in one can, in a test’s own home, and plugins bring these. */
function asked(
  given: readonly Partial<PluginDescription>[],
  patienceMs: number,
  problems: Brought['problems'] = [],
) {
  vi.stubEnv('HOME', scratchFolder())
  onTestFinished(() => void vi.unstubAllEnvs())
  const platforms = given.map((more, at) => ({
    plugin: `plugin-${at}`,
    answer: {
      apiVersion: 2,
      name: `init-${at}`,
      summary: 'an init',
      probe: async () => ({ available: false, reason: 'it does not run' }),
      isInstalled: async () => false,
      load: never,
      ...more,
    },
  }))
  return canInstall({ instance: instanceFor(), env: {} }, async () => ({ platforms, problems }), patienceMs)
}

const LONG_MS = 60_000

test.for([
  ['one that can', [no, yes], true],
  ['one that can beside one that hangs', [hangs, yes], true],
  ['one that is installed, though it does not say whether it could be', [hangs, installed], true],
  ['none that can', [no, no], false],
  ['none', [], false],
  ['one that fails', [no, fails], undefined],
] as const)('%s is known before anybody loses patience', async ([, given, expected]) => {
  expect(await asked(given, LONG_MS)).toBe(expected)
})

test('of plugins that hang it is not known, and so it is where one can’t be loaded', async () => {
  expect(await asked([hangs, hangs, no], 50)).toBeUndefined()
  const problems = [{ plugin: 'plugin-9', what: 'gave no answer' }]
  expect(await asked([no], LONG_MS, problems)).toBeUndefined()
  expect(await asked([yes], LONG_MS, problems)).toBe(true)
})

test('plugins that hang before they bring anything are not waited for either', async () => {
  expect(await canInstall({ instance: instanceFor(), env: {} }, never, 50)).toBeUndefined()
})
