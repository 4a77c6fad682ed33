import { chmodSync, lstatSync, rmSync, type Stats } from 'node:fs'
import type { RequestListener, Server } from 'node:http'
import path from 'node:path'
import { userFolders } from '../../config/instance.ts'
import { ConnectError, messageOf } from '../../errors.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { loadHttp } from '../http.ts'

/** A Unix socket here is a named pipe on Windows. */
const isPipe = process.platform === 'win32'

/** A server that listens on a local socket. */
export interface LocalServer {
  /**
   * Listens again if the socket's file was deleted or replaced, as by a program that cleans up /tmp.
   *
   * @throws ConnectError WRITE_FAILED
   */
  look(): Promise<void>
  close(): Promise<void>
}

/**
 * Serves HTTP on a local socket, for this user alone. A socket file that is there already is a dead
 * process's: the caller holds a lock that proves it.
 *
 * @throws ConnectError WRITE_FAILED if the socket can't be made
 */
export async function serveLocally(socketPath: string, answer: RequestListener): Promise<LocalServer> {
  let open: Open | undefined = await listen(socketPath, answer)
  return {
    async look() {
      if (open && isInPlace(socketPath, open)) return
      // The old server still answers the requests that are under way.
      open?.server.close()
      open = undefined
      open = await listen(socketPath, answer)
    },
    async close() {
      const server = open?.server
      // Closing the server would remove the file of that name, which is another process's by now.
      if (open && !isInPlace(socketPath, open)) server?.unref()
      else if (server) await closed(server)
    },
  }
}

/** How long the requests that are being answered may take when the server closes, in ms. */
const GOODBYE_MS = 1000

async function closed(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), GOODBYE_MS)
  await new Promise<void>((done) => server.close(() => done()))
  clearTimeout(timer)
}

/** A server that listens, and the file that it listens at; none on Windows, where a pipe has no file. */
interface Open {
  readonly server: Server
  readonly inode: Pick<Stats, 'dev' | 'ino'> | undefined
}

async function listen(socketPath: string, answer: RequestListener): Promise<Open> {
  const server = loadHttp().createServer(answer)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  try {
    const folder = path.dirname(socketPath)
    if (userFolders().includes(folder)) ensurePrivateFolder(folder, { inSharedFolder: true })
    if (!isPipe) rmSync(socketPath, { force: true })
    server.listen(socketPath, resolve)
    await promise
    // Not needed with a umask of 077, but a hub may run with another one.
    if (!isPipe) chmodSync(socketPath, 0o600)
    return { server, inode: isPipe ? undefined : lstatSync(socketPath) }
  } catch (error) {
    server.close()
    if (error instanceof ConnectError) throw error
    throw new ConnectError('WRITE_FAILED', `Could not open ${socketPath}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Whether the socket's file is the server's own, as one that can't be looked at is taken to be. */
function isInPlace(socketPath: string, { inode }: Open): boolean {
  try {
    const found = lstatSync(socketPath, { throwIfNoEntry: false })
    return inode === undefined || (inode.dev === found?.dev && inode.ino === found.ino)
  } catch {
    return true
  }
}
