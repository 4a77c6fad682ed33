import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { fingerprintOf } from '../../tunnel/protocol/invite.ts'

/** Chains in use have four certificates at the most. */
const MAX_CHAIN = 10

/**
 * The certificate that an invite names, among those that a hub has shown. It proves nothing yet: whoever
 * dials next has to verify by it.
 *
 * @param socket whose handshake is over, and whose peer may be anyone
 * @returns PEM; undefined if what the hub shows does not lead to it
 */
export function invitedAuthority(socket: TLSSocket, fingerprint: string): string | undefined {
  return chainOf(socket)
    .find(({ raw }) => fingerprintOf(raw) === fingerprint)
    ?.toString()
}

/** The peer's own, then who has signed it, and so on: what else it has sent along is worth nothing. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let shown: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (shown?.raw && chain.length < MAX_CHAIN) {
    const certificate = new X509Certificate(shown.raw)
    const signed = chain.at(-1)
    if (signed && !isSignedBy(signed, certificate)) break
    chain.push(certificate)
    // That of a root leads to itself.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate
  }
  return chain
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    // A key of a kind that OpenSSL doesn't know.
    return false
  }
}
