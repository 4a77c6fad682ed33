import { expect, test } from 'vitest'
import { keptExitCode } from '../../src/kept/exit-code.ts'
import { ERRORS, type ErrorCode } from '../../src/error-codes.ts'
import { ConnectError } from '../../src/errors.ts'

/** What no restart can fix. */
const HUMAN_NEEDED: readonly ErrorCode[] = [
  'BAD_HUB_URL',
  'BAD_PROXY',
  'BAD_TARGET',
  'BAD_VALUE',
  'CONFIG_DAMAGED',
  'CONFIG_EXPOSED',
  'CONFIG_NEWER',
  'CONFIG_UNREADABLE',
  'FILE_UNTRUSTED',
  'HUB_DATA_ABSENT',
  'HUB_DATA_DAMAGED',
  'HUB_SETTINGS_DAMAGED',
  'HUB_KEY_EXPOSED',
  'HUB_TLS_DAMAGED',
  'INSECURE_HUB',
  'NOT_CONFIGURED',
  'PROGRAM_GONE',
  'REVOKED',
  'SERVICES_DAMAGED',
  'REACHES_DAMAGED',
  'WRONG_HUB',
]

test.for(Object.keys(ERRORS) as ErrorCode[])('%s ends the agent with the right exit code', (code) => {
  const expected = HUMAN_NEEDED.includes(code) ? 78 : 1
  expect(keptExitCode(new ConnectError(code, 'x'))).toBe(expected)
})

test.for([new Error('a bug'), 'text', undefined])('a bug is worth another start: %s', (error) => {
  expect(keptExitCode(error)).toBe(1)
})

test('launchd, which has no list of codes, is told to leave it down by 0; nobody else is', () => {
  const revoked = new ConnectError('REVOKED', 'x')
  expect(keptExitCode(revoked, 'launchd')).toBe(0)
  expect(keptExitCode(revoked, 'systemd')).toBe(78)
  expect(keptExitCode(revoked, '')).toBe(78)
  expect(keptExitCode(new Error('a bug'), 'launchd')).toBe(1)
})
