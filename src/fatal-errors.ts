import type { ErrorCode } from './error-codes.ts'
import { ConnectError } from './errors.ts'

/** What only a human can fix. Everything else may heal, and is worth another start. */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_CONFIGURED',
  'CONFIG_DAMAGED',
  'CONFIG_EXPOSED',
  'CONFIG_NEWER',
  'CONFIG_UNREADABLE',
  'FILE_UNTRUSTED',
  'SERVICES_DAMAGED',
  'REACHES_DAMAGED',
  'HUB_SETTINGS_DAMAGED',
  'HUB_DATA_DAMAGED',
  'HUB_DATA_ABSENT',
  'HUB_TLS_DAMAGED',
  'HUB_KEY_EXPOSED',
  'BAD_HUB_URL',
  'BAD_TARGET',
  'BAD_VALUE',
  'BAD_PROXY',
  'INSECURE_HUB',
  'WRONG_HUB',
  'PROGRAM_GONE',
  'REVOKED',
])

/** Whether trying again is of no use. */
export function isFatal(error: unknown): boolean {
  return error instanceof ConnectError && FATAL.has(error.code)
}
