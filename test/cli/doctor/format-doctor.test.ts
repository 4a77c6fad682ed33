import { expect, test } from 'vitest'
import { formatBrief } from '../../../src/cli/doctor/format-brief.ts'
import { formatDoctor } from '../../../src/cli/doctor/format-doctor.ts'
import type { CheckGroup, Finding } from '../../../src/doctor/check.ts'
import type { Checked } from '../../../src/doctor/run-checks.ts'

function checked(group: CheckGroup, title: string, finding: Finding & { mended?: string }): Checked<unknown> {
  const check = { name: title, group, title, run: async () => finding }
  return { check, ...finding }
}

test('each group has a head, each check its mark, and what mends it stands below', () => {
  expect(
    formatDoctor([
      checked('files', 'Modes', { state: 'ok', seen: 'All are well', mended: '1 mode was set' }),
      checked('files', 'Owners', { state: 'failed', seen: 'One is root’s', fix: 'Run: sudo chown' }),
      checked('machine', 'Clock', { state: 'warning', seen: 'It is late', fix: 'Set it' }),
      checked('machine', 'Memory', { state: 'unknown', seen: 'No answer within 5 s' }),
      checked('machine', 'Disk', { state: 'skipped', seen: 'There is none' }),
    ]),
  ).toEqual([
    'Files',
    '  [ok] Modes: All are well',
    '      Mended: 1 mode was set',
    '  [x] Owners: One is root’s',
    '      Run: sudo chown',
    '',
    'This machine',
    '  [!] Clock: It is late',
    '      Set it',
    '  [?] Memory: No answer within 5 s',
    '  [-] Disk: There is none',
    '',
    '1 ok, 1 warning, 1 failed, 1 unknown, 1 skipped',
    'Failed: Files (Owners)',
  ])
})

test('a group of which there is nothing here is one line', () => {
  const none: Finding = { state: 'skipped', seen: 'No hub is kept here' }
  expect(formatDoctor([checked('hub-here', 'Port', none), checked('hub-here', 'Backup', none)])).toEqual([
    'Hub on this machine',
    '  [-] No hub is kept here',
    '',
    '0 ok, 0 warnings, 0 failed, 2 skipped',
  ])
})

test('what is skipped, or unknown, for one reason is told at once', () => {
  const hangs: Finding = { state: 'unknown', seen: 'systemctl hangs', fix: 'See: systemctl' }
  expect(
    formatDoctor([checked('daemon', 'Runs', hangs), checked('daemon', 'On boot', hangs)]).slice(1, 3),
  ).toEqual(['  [?] Runs, On boot: systemctl hangs', '      See: systemctl'])
  const down: Finding = { state: 'skipped', seen: 'No agent runs' }
  const other: Finding = { state: 'skipped', seen: 'Nothing is installed' }
  const lines = formatDoctor([
    checked('daemon', 'Answers', down),
    checked('daemon', 'What is installed', other),
    checked('daemon', 'Only one', down),
  ])
  expect(lines.slice(1, 3)).toEqual([
    '  [-] Answers, Only one: No agent runs',
    '  [-] What is installed: Nothing is installed',
  ])
})

test('what keeps several from being looked at is told with its cure once', () => {
  const closed: Finding = { state: 'unknown', seen: 'It is closed', fix: 'Run: chmod 700 ~' }
  const lines = formatDoctor([checked('files', 'One', closed), checked('daemon', 'Other', closed)])
  expect(lines.filter((line) => line.includes('chmod'))).toHaveLength(1)
  expect(lines.filter((line) => line.includes('It is closed'))).toHaveLength(2)
})

test('what has failed is named in the last line, by its group', () => {
  const lines = formatDoctor([
    checked('files', 'Modes', { state: 'failed', seen: 'One is open', fix: 'Run: chmod' }),
    checked('files', 'Owners', { state: 'failed', seen: 'One is root’s', fix: 'Run: sudo chown' }),
    checked('daemon', 'Runs', { state: 'failed', seen: 'No', fix: 'Run: connect daemon start' }),
    checked('hub', 'Versions', { state: 'ok', seen: 'The same' }),
  ])
  expect(lines.slice(-2)).toEqual([
    '1 ok, 0 warnings, 3 failed',
    'Failed: Files (Modes, Owners), Daemon (Runs)',
  ])
})

test('in brief a group is a line, and what is to be acted on comes last, the worst at the end', () => {
  const none: Finding = { state: 'skipped', seen: 'No hub is kept here' }
  expect(
    formatBrief([
      checked('files', 'Modes', { state: 'failed', seen: 'One is open', fix: 'Run: chmod' }),
      checked('files', 'Disk', { state: 'warning', seen: 'It is nearly full', fix: 'Free some space' }),
      checked('files', 'Leftovers', { state: 'ok', seen: 'Nothing', mended: 'removed one' }),
      checked('machine', 'Clock', { state: 'ok', seen: 'It is right' }),
      checked('machine', 'Memory', { state: 'skipped', seen: 'Not told here' }),
      checked('daemon', 'Runs', { state: 'unknown', seen: 'systemctl hangs', fix: 'See: systemctl' }),
      checked('daemon', 'On boot', { state: 'unknown', seen: 'systemctl hangs', fix: 'See: systemctl' }),
      checked('hub-here', 'Port', none),
      checked('hub-here', 'Backup', none),
    ]),
  ).toEqual([
    '[x] Files: 1 ok, 1 warning, 1 failed',
    '[ok] This machine: 1 ok, 1 skipped',
    '[?] Daemon: 2 unknown',
    '[-] Hub on this machine: No hub is kept here',
    '',
    'Daemon',
    '  [?] Runs, On boot: systemctl hangs',
    '      See: systemctl',
    '',
    'Files',
    '  [ok] Leftovers: Nothing',
    '      Mended: removed one',
    '  [!] Disk: It is nearly full',
    '      Free some space',
    '  [x] Modes: One is open',
    '      Run: chmod',
    '',
    '2 ok, 1 warning, 1 failed, 2 unknown, 3 skipped (--verbose shows each)',
    'Failed: Files (Modes)',
  ])
})

test('in brief a machine that is well has no more than its groups and their sum', () => {
  expect(formatBrief([checked('files', 'Modes', { state: 'ok', seen: 'All are well' })])).toEqual([
    '[ok] Files: 1 ok',
    '',
    '1 ok, 0 warnings, 0 failed (--verbose shows each)',
  ])
})
