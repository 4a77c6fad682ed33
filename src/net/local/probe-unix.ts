import { codeOf } from '../../errors.ts'
import { connectUnix } from './connect-unix.ts'

/**
 * Connects to a Unix socket to see whether it has a listener, and closes the connection at once. One that
 * can't be asked, as another user's, counts as one that has.
 */
export function probeUnix(file: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  connectUnix(file, { timeoutMs: 2000 }, (error, socket) => {
    socket?.destroy()
    resolve(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? ''))
  })
  return promise
}
