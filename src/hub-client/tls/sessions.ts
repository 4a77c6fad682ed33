import type { SecureContext, TLSSocket } from 'node:tls'

export interface TlsSession {
  /** Secret, as tls.connect takes it; it stays in this process’s memory. */
  readonly ticket: Buffer
  /** When the certificate expires that began it. */
  readonly validTo: Date
}

/** As many as a server offers for one certificate that was checked: two, if it is made with OpenSSL. */
const MOST = 2

/**
 * Whoever goes on with a session checks no certificate (RFC 8446 §2.2). So sessions are kept by the trust
 * that their certificate was checked with, and by where they lead: with other authorities, and under another
 * name, all is checked.
 */
const kept = new WeakMap<SecureContext, Map<string, TlsSession[]>>()

/**
 * A session with a peer to go on with: neither side then proves or checks a certificate. The keys are new
 * ones all the same.
 *
 * @returns undefined if there is none; each is given once (RFC 8446 §C.4)
 */
export function takeSession(trust: SecureContext, peer: string): TlsSession | undefined {
  const session = kept.get(trust)?.get(peer)?.pop()
  return session && session.validTo.getTime() > Date.now() ? session : undefined
}

/**
 * Keeps the latest sessions that a peer offers from now on.
 *
 * @param socket whose peer's certificate has been checked, or was when `resumed` began
 * @param resumed what the socket may have gone on with
 */
export function keepSessions(
  trust: SecureContext,
  peer: string,
  socket: TLSSocket,
  resumed: TlsSession | undefined,
): void {
  // Older sessions get no keys of their own: whoever learned those of one could read all.
  if (socket.getProtocol() !== 'TLSv1.3') return
  const validTo = socket.isSessionReused() ? resumed?.validTo : socket.getPeerX509Certificate()?.validToDate
  if (!validTo) return
  socket.on('session', (ticket: Buffer) => {
    const peers = kept.get(trust) ?? new Map<string, TlsSession[]>()
    const sessions = peers.get(peer) ?? []
    kept.set(trust, peers.set(peer, [...sessions, { ticket, validTo }].slice(-MOST)))
  })
}
