import { isIP, type Socket } from 'node:net'
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls'
import { withoutBrackets } from '../config/hub-url.ts'
import { connectTcp } from '../net/connect-tcp.ts'
import { hubNames } from '../net/name-resolver.ts'
import { loadTls } from '../net/tls.ts'
import { keepSessions, takeSession } from './tls/sessions.ts'

export interface Peer {
  /** A host name or address, an IPv6 address in brackets or not. */
  readonly host: string
  readonly port: number
}

/** Where a URL of `http:` or `https:` leads. */
export function peerOf(url: URL): Peer {
  return { host: url.hostname, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) }
}

/** Opens a TCP connection to a hub, or to a proxy. @throws the signal’s reason, the system’s error */
export async function openTcp(peer: Peer, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const cancel = connectTcp(peer, { names: hubNames }, (error, socket) => {
    if (!socket) return reject(error!)
    // For what comes before the next owner listens: it would be an uncaught error.
    socket.on('error', () => {})
    resolve(socket)
  })
  const abort = () => {
    cancel()
    reject(signal.reason as Error)
  }
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** @param socket what to speak TLS over; closed if that fails */
export async function openTls(
  peer: Peer,
  socket: Socket,
  trust: SecureContext,
  signal: AbortSignal,
): Promise<Socket> {
  const key = `${withoutBrackets(peer.host)}:${peer.port}`
  const session = takeSession(trust, key)
  const secure = startTls(peer, socket, trust, { ...(session && { session: session.ticket }) })
  secure.once('secureConnect', () => keepSessions(trust, key, secure, session))
  return secured(secure, signal)
}

/**
 * Shakes hands and believes nothing: to look at what is shown, and to send nothing.
 *
 * @param trust by what `authorized` of the answer goes
 */
export function openUnverifiedTls(
  peer: Peer,
  socket: Socket,
  trust: SecureContext,
  signal: AbortSignal,
): Promise<TLSSocket> {
  return secured(startTls(peer, socket, trust, { rejectUnauthorized: false }), signal)
}

function startTls(
  { host, port }: Peer,
  socket: Socket,
  trust: SecureContext,
  how: Pick<ConnectionOptions, 'session' | 'rejectUnauthorized'>,
): TLSSocket {
  const name = withoutBrackets(host)
  try {
    return loadTls().connect({
      socket,
      host: name,
      port,
      // RFC 6066 §3: an address is no server name.
      ...(isIP(name) === 0 && { servername: name }),
      secureContext: trust,
      ALPNProtocols: ['http/1.1'],
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says: there is no hub without its certificate.
      rejectUnauthorized: true,
      ...how,
    })
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function secured(socket: TLSSocket, signal: AbortSignal): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = () => reject(signal.reason as Error)
  // Also for what comes before the next owner listens: it would be an uncaught error.
  socket.on('error', reject)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  socket.once('secureConnect', resolve)
  try {
    await promise
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
