import { mkdirSync } from 'node:fs'
import { expect, onTestFinished, test, vi } from 'vitest'
import { OWN_HUB, OWN_HUB_UNKEPT } from '../../../src/config/first-steps.ts'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import { writeProcessRecord } from '../../../src/control/process-record.ts'
import type { PluginDescription, Probe } from '../../../src/platforms/platform.ts'
import { ownHubStep, startStep } from '../../../src/tasks/machine/start-step.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

/** What a plugin brings, whose service manager answers so; no built-in one can, in a test’s own home. */
function plugin(probe: Probe, isInstalled = false) {
  vi.stubEnv('HOME', scratchFolder())
  onTestFinished(() => void vi.unstubAllEnvs())
  const answer: PluginDescription = {
    apiVersion: 2,
    name: 'runit',
    summary: 'runit',
    probe: async () => probe,
    isInstalled: async () => isInstalled,
    load: async () => {
      throw new Error('nothing is to be loaded')
    },
  }
  return async () => ({ platforms: [{ plugin: 'private-connect-runit', answer }], problems: [] })
}

const WATCHES: Probe = { available: true }
const WATCHES_NOT: Probe = { available: false, reason: 'runsvdir does not watch ~/service' }
const UNKEPT = 'it does not come back after a reboot'
const FLAGS = 'with the flags that connect hub had'

test.for([
  ['none has run', undefined, WATCHES, 'install', null],
  ['one was kept, which has its flags saved', 'daemon', WATCHES, 'start', null],
  ['one ran in a terminal, whose flags nobody has saved', 'foreground', WATCHES, 'install', FLAGS],
  ['none has run, and nothing could keep it', undefined, WATCHES_NOT, 'start', UNKEPT],
  ['one was in the background, and nothing could keep it', 'daemon', WATCHES_NOT, 'start', UNKEPT],
  [
    'one ran in a terminal, and nothing could keep it',
    'foreground',
    WATCHES_NOT,
    'start',
    `${FLAGS}; ${UNKEPT}`,
  ],
] as const)('where %s the next step says so', async ([, mode, probe, verb, note]) => {
  const plugins = plugin(probe)
  const instance = hubInstance({ dataDir: scratchFolder() })
  if (mode) writeProcessRecord(instance, identityFor(instance, { mode }))
  expect(await startStep(instance, plugins)).toEqual({ command: `connect hub ${verb}`, note })
})

test('one that is installed comes back, even if what keeps it does not run now', async () => {
  const plugins = plugin(WATCHES_NOT, true)
  const instance = instanceFor()
  mkdirSync(instance.folder)
  writeProcessRecord(instance, identityFor(instance, { mode: 'daemon' }))
  expect(await startStep(instance, plugins)).toEqual({ command: 'connect daemon start', note: null })
})

test('what is named and not there, the install itself says', async () => {
  const plugins = plugin(WATCHES_NOT)
  vi.stubEnv('CONNECT_PLATFORM', 'openrc')
  expect(await startStep(instanceFor(), plugins)).toEqual({ command: 'connect daemon install', note: null })
})

test('a hub of one’s own is installed only where something keeps it', async () => {
  expect(await ownHubStep(hubInstance(), plugin(WATCHES))).toMatchObject({ command: OWN_HUB })
  const { command, note } = await ownHubStep(hubInstance(), plugin(WATCHES_NOT))
  expect(command).toBe(OWN_HUB_UNKEPT)
  expect(note).toBe(`for a hub of your own, here; ${UNKEPT}`)
})
