import { expect, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { systemd } from '../../src/platforms/systemd/description.ts'
import type { Platform, StatusOptions } from '../../src/platforms/platform.ts'
import { planInstall } from '../../src/tasks/install.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

const DAEMON = { command: ['/bin/true'], env: {}, cwd: '/', logFile: '/dev/null' } as const

test('a dry run clears nothing away, and warns of what an install would warn of', async () => {
  const asked: (StatusOptions | undefined)[] = []
  const platform = {
    plan: async () => ({ files: [], commands: [], warnings: ['macOS may keep it from that folder'] }),
    status: async (how?: StatusOptions) => {
      asked.push(how)
      return { state: 'stopped', installed: false, autostart: 'never' }
    },
  } as unknown as Platform
  const context = {
    instance: instanceFor(undefined, scratchFolder()),
    platform,
    description: systemd,
    root: '/',
    version: '1.2.3',
    interactive: false,
  }
  const planned = await planInstall(context, DAEMON, { description: systemd, reasons: [], problems: [] })
  expect(planned.warnings).toEqual(['macOS may keep it from that folder'])
  expect(asked).toEqual([{ lookOnly: true }])
})
