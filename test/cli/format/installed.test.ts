import { expect, test } from 'vitest'
import { formatPlan, installedLines } from '../../../src/cli/format/installed.ts'
import type { PlannedInstall } from '../../../src/tasks/install.ts'

const PLANNED: PlannedInstall = {
  installed: false,
  change: 'created',
  file: '/u/hub.service',
  pid: null,
  autostart: 'never',
  warnings: [],
  plan: { files: [{ file: '/u/hub.service', content: '[Unit]\n' }], commands: [['systemctl', 'start']] },
}
const JOINS = 'Would have this machine join the hub.'

test.for([
  ['boot', 'The hub will now start automatically on boot.'],
  ['login', 'The hub will now start automatically on login.'],
  ['manager', 'The hub will now start whenever its service manager does, which may not be on boot.'],
  ['never', 'The hub does not start by itself.'],
] as const)('what is installed with autostart %s says: %s', ([autostart, says]) => {
  const outcome = { change: 'created', file: null, pid: 7, autostart, warnings: [] } as const
  expect(installedLines(outcome, 'hub', [])).toContain(`  ${says}`)
})

test('a plan says what else would be done', () => {
  expect(formatPlan(PLANNED, 'hub', JOINS)).toEqual([
    'Would write /u/hub.service:',
    '',
    '  [Unit]',
    '',
    'Would run:',
    '',
    '  systemctl start',
    '',
    JOINS,
    '',
    'Nothing was changed.',
  ])
})

test('a plan by which nothing is written may still do something else', () => {
  const unchanged = { ...PLANNED, change: 'unchanged' } as const
  expect(formatPlan(unchanged, 'hub')).toEqual([
    'Unchanged: /u/hub.service',
    '',
    'The hub is installed and runs: there is nothing to do.',
  ])
  expect(formatPlan(unchanged, 'hub', JOINS)).toEqual([
    'Unchanged: /u/hub.service',
    '',
    'The hub is installed and runs.',
    '',
    JOINS,
    '',
    'Nothing was changed.',
  ])
})
