import { expect, test } from 'vitest'
import type { StatusOptions } from '../../src/platforms/platform.ts'
import { planInstall } from '../../src/tasks/install.ts'
import { contextWith, DAEMON } from '../fixtures/kept-context.ts'

test('a dry run clears nothing away, and warns of what an install would warn of', async () => {
  const asked: (StatusOptions | undefined)[] = []
  const context = contextWith({
    plan: async () => ({ files: [], commands: [], warnings: ['macOS may keep it from that folder'] }),
    status: async (how?: StatusOptions) => {
      asked.push(how)
      return { state: 'stopped', installed: false, autostart: 'never' }
    },
  })
  const selection = { description: context.description, reasons: [], problems: [] }
  const planned = await planInstall(context, DAEMON, selection)
  expect(planned.warnings).toEqual(['macOS may keep it from that folder'])
  expect(asked).toEqual([{ lookOnly: true }])
})
