import { isIP, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
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
  { host, port }: Peer,
  socket: Socket,
  trust: SecureContext,
  signal: AbortSignal,
): Promise<Socket> {
  const name = withoutBrackets(host)
  const peer = `${name}:${port}`
  const session = takeSession(trust, peer)
  const options = {
    socket,
    host: name,
    port,
    // RFC 6066 §3: an address is no server name.
    ...(isIP(name) === 0 && { servername: name }),
    secureContext: trust,
    ...(session && { session: session.ticket }),
    ALPNProtocols: ['http/1.1'],
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says: there is no hub without its certificate.
    rejectUnauthorized: true,
  }
  try {
    const secure = loadTls().connect(options)
    secure.once('secureConnect', () => keepSessions(trust, peer, secure, session))
    return await secured(secure, signal)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function secured(socket: Socket, signal: AbortSignal): Promise<Socket> {
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

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}
