import { chmodSync, lstatSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server } from 'node:http'
import path from 'node:path'
import { shortSocketFolder } from '../config/instance.ts'
import { codeOf, ConnectError, messageOf } from '../errors.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { loadHttp } from './http.ts'

/** HTTP over a Unix socket (a named pipe on Windows), for this user alone. */

const isPipe = process.platform === 'win32'

/**
 * Has a server listen there, for this user alone. A socket file that is there already is a dead process's: the caller
 * holds a lock that says so.
 *
 * @throws ConnectError WRITE_FAILED if it can't be made
 */
export async function listenLocally(server: Server, socketPath: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  try {
    if (path.dirname(socketPath) === shortSocketFolder())
      ensurePrivateFolder(shortSocketFolder(), { inSharedFolder: true })
    if (!isPipe) rmSync(socketPath, { force: true })
    server.listen(socketPath, resolve)
    await promise
    // Not needed with a umask of 077; said again for whoever was started otherwise.
    if (!isPipe) chmodSync(socketPath, 0o600)
  } catch (error) {
    throw new ConnectError('WRITE_FAILED', `Could not open ${socketPath}: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    server.off('error', reject)
  }
}

export interface LocalRequest {
  readonly socketPath: string
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly timeoutMs: number
}

/**
 * Asks whoever listens on a socket of this user's.
 *
 * @returns undefined if nobody listens
 * @throws the system's error, or the reason of the time-out
 */
export async function requestLocally(
  options: LocalRequest,
): Promise<{ status: number | undefined; text: string } | undefined> {
  const { body, timeoutMs, ...target } = options
  if (!isOurs(target.socketPath)) return undefined
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    loadHttp()
      .request({ ...target, signal }, resolve)
      .once('error', reject)
      .end(body)
    const response = await promise
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
    return { status: response.statusCode, text }
  } catch (error) {
    // Nobody listens: no socket, or a dead process's.
    if (['ENOENT', 'ECONNREFUSED'].includes(codeOf(error) ?? '')) return undefined
    throw signal.aborted ? signal.reason : error
  }
}

/** In a folder where others may write, as /tmp, a socket of that name can be anybody's. */
function isOurs(socketPath: string): boolean {
  if (isPipe) return true
  return lstatSync(socketPath, { throwIfNoEntry: false })?.uid === process.getuid?.()
}
