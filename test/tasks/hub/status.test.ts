import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { writeHubSettings } from '../../../src/config/hub/hub-settings.ts'
import { background } from '../../../src/platforms/background/description.ts'
import type { Platform } from '../../../src/platforms/platform.ts'
import { hubServiceStatus, isAnswering } from '../../../src/tasks/hub/status.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { root } from '../../helpers/cli.ts'

test('a hub that a service manager runs, and whose data is away, has not started yet', async () => {
  const home = scratchFolder()
  const settings = { dataDir: path.join(home, 'not-mounted') }
  vi.stubEnv('HOME', home)
  onTestFinished(() => void vi.unstubAllEnvs())
  writeHubSettings(settings, home)
  const running = { state: 'running', pid: 4711, installed: true, autostart: 'boot' } as const
  const context = {
    instance: hubInstance(settings, home),
    platform: { status: async () => running } as unknown as Platform,
    description: background,
    root,
    version: '1.2.3',
    interactive: false,
  }
  const status = await hubServiceStatus(context)
  expect(status).toMatchObject({
    status: 'starting',
    reason: `The hub’s data is not in ${settings.dataDir}, where it was`,
    waitsFor: null,
    pid: 4711,
    silence: 'the hub does not answer on its socket',
  })
  expect(isAnswering(status)).toBe(false)
})
