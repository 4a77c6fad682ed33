import { ConnectError, type ErrorCode } from '../errors.ts'

/** EX_CONFIG of sysexits(3): whatever keeps the agent alive is told not to start it again. */
const HUMAN_NEEDED = 78

/** What only a human can mend. Everything else may heal, and is worth another start. */
const FATAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_CONFIGURED',
  'CONFIG_DAMAGED',
  'CONFIG_EXPOSED',
  'CONFIG_NEWER',
  'CONFIG_UNREADABLE',
  'FILE_UNTRUSTED',
  'SERVICES_DAMAGED',
  'BAD_HUB_URL',
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

/**
 * The agent process's exit code for what ended it.
 *
 * @param supervisor what keeps it alive: launchd has no list of codes, and leaves down only what ends with 0
 */
export function agentExitCode(error: unknown, supervisor = process.env.CONNECT_SUPERVISOR): number {
  if (!isFatal(error)) return 1
  return supervisor === 'launchd' ? 0 : HUMAN_NEEDED
}
