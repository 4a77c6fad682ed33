import type { Server } from 'node:net'
import { ConnectError, messageOf } from '../../errors.ts'

/**
 * Has a server listen at a Unix socket that only this user may connect to, from the first moment on.
 *
 * @param file where nothing is
 * @throws ConnectError CANNOT_LISTEN
 */
export async function listenUnix(server: Server, file: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  // The file is made before listen() returns.
  const umask = process.umask(0o177)
  try {
    server.listen(file, resolve)
  } finally {
    process.umask(umask)
  }
  try {
    await promise
  } catch (cause) {
    throw new ConnectError('CANNOT_LISTEN', `Could not listen at ${file}: ${messageOf(cause)}`, { cause })
  } finally {
    server.off('error', reject)
  }
}
