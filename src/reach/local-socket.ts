import { lstatSync, rmSync, type Stats } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import path from 'node:path'
import { codeOf, ConnectError, messageOf } from '../errors.ts'
import { statOf } from '../files/is-same-file.ts'
import { listenUnix } from '../net/local/listen-unix.ts'
import { probeUnix } from '../net/local/probe-unix.ts'
import { shellQuote } from '../text/shell-quote.ts'
import type { LocalPort } from './local-port.ts'
import { holdSocketNotes, type SocketNotes } from './socket-notes.ts'

/**
 * Listens at a Unix socket, for this user alone. What is at its path already stays there, unless it is the
 * socket of a `reach` that has died.
 *
 * @param file absolute
 * @throws ConnectError SOCKET_IN_THE_WAY, CANNOT_LISTEN, WRITE_FAILED
 */
export async function openLocalSocket(file: string, onClient: (socket: Socket) => void): Promise<LocalPort> {
  checkFolder(file)
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, onClient)
  const notes = await holdSocketNotes()
  try {
    if (found(file)) await removeDead(file, notes)
    await listenUnix(server, file)
    const own = lstatSync(file)
    notes.add(file, own)
    return {
      addresses: [],
      port: 0,
      because: undefined,
      servers: [server],
      close: () => close(server, file, own, notes),
    }
  } catch (error) {
    server.close()
    if (codeOf((error as Error).cause) === 'EADDRINUSE')
      throw inTheWay(file, 'something was put there just now')
    throw error
  } finally {
    notes.release()
  }
}

/** @throws ConnectError CANNOT_LISTEN: the system's own error would not say that it is the folder */
function checkFolder(file: string): void {
  const folder = path.dirname(file)
  if (statOf(folder)?.isDirectory()) return
  const hints = [`Make it, for your user alone: mkdir -m 700 ${shellQuote(folder)}`]
  throw new ConnectError('CANNOT_LISTEN', `There is no folder ${folder} to make the socket in`, { hints })
}

/** @throws ConnectError CANNOT_LISTEN if this user may not look there */
function found(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false })
  } catch (cause) {
    throw new ConnectError('CANNOT_LISTEN', `Could not listen at ${file}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Nobody can ever listen again at a socket whose program has ended. But whether the file is for us to delete
 * is known only of those that we have made.
 */
async function removeDead(file: string, notes: SocketNotes): Promise<void> {
  const there = found(file)
  if (!there) return
  if (there.isDirectory()) {
    const hints = [`Give a path in it. For psql -h ${file}: --socket ${path.join(file, '.s.PGSQL.5432')}`]
    throw new ConnectError('SOCKET_IN_THE_WAY', `${file} is a folder`, { hints })
  }
  if (!there.isSocket()) throw inTheWay(file, 'there is a file already')
  if (await probeUnix(file)) throw inTheWay(file, 'a program listens there')
  const hints = [`If nobody needs it any more, delete it: rm ${shellQuote(file)}`]
  if (!notes.has(file, there)) throw inTheWay(file, 'a program that has ended left its socket there', hints)
  rmSync(file)
}

function inTheWay(file: string, why: string, hints?: readonly string[]): ConnectError {
  return new ConnectError('SOCKET_IN_THE_WAY', `Could not listen at ${file}: ${why}`, {
    ...(hints && { hints }),
  })
}

/** Closing the server removes the file of that name, which may be another program's by now. */
function close(server: Server, file: string, own: Stats, notes: SocketNotes): void {
  notes.forget(file)
  const now = statOf(file)
  if (now?.dev === own.dev && now.ino === own.ino) server.close()
  else server.unref()
}
