import { codeOf, ConnectError, messageOf } from '../errors.ts'

/**
 * What the machine may answer to any system call at any time: something has run out, or someone
 * else went away.
 */
const CODES: ReadonlySet<string> = new Set([
  'EACCES',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EAGAIN',
  'EBUSY',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EDQUOT',
  'EFBIG',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EINTR',
  'EIO',
  'ELOOP',
  'EMFILE',
  'ENAMETOOLONG',
  'ENETDOWN',
  'ENETUNREACH',
  'ENFILE',
  'ENOBUFS',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'ENOTCONN',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
  'EPIPE',
  'EROFS',
  'ESTALE',
  'ETIMEDOUT',
  'EWOULDBLOCK',
  'ERR_WORKER_INIT_FAILED',
  'ERR_WORKER_OUT_OF_MEMORY',
])

/**
 * SQLITE_BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN (https://sqlite.org/rescode.html),
 * without their details.
 */
const SQLITE_CODES: ReadonlySet<number> = new Set([5, 6, 7, 8, 10, 13, 14])

/**
 * The rule for what is fatal: an operational error never ends a data command, since what could be done before
 * still can be. Anything else that nobody caught is a bug.
 */
export function isOperationalError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (CODES.has(systemCode(error))) return true
  if ('errcode' in error && SQLITE_CODES.has(Number(error.errcode) & 0xff)) return true
  return error.cause !== undefined && isOperationalError(error.cause)
}

/**
 * An operational error in words for the user, SYSTEM_FAILED, if nobody below had better ones; anything else
 * as it is.
 */
export function explainOperationalError(error: unknown): unknown {
  if (error instanceof ConnectError || !isOperationalError(error)) return error
  return new ConnectError('SYSTEM_FAILED', `This machine refused: ${messageOf(error)}`, { cause: error })
}

/** Node.js hides the code of some calls, such as that of os.networkInterfaces(). */
function systemCode(error: Error): string {
  const { info } = error as { info?: { code?: unknown } }
  return typeof info?.code === 'string' ? info.code : (codeOf(error) ?? '')
}
