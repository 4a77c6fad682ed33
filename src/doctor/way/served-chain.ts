import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { ConnectError } from '../../errors.ts'
import { openUnverified, type HubAddress } from '../../hub-client/connection.ts'
import { networkErrorCode } from '../../net/network-error.ts'
import { withDeadline } from '../../runtime/deadline.ts'

/** Chains in use have four certificates at the most. */
const MAX_CHAIN = 10

/** What a server shows of its certificates. */
export interface ServedChain {
  /** Who has signed the server's own, by its name. */
  readonly issuer: string
  /** From when and until when all of them are valid, in ms since 1970. */
  readonly from: number
  readonly until: number
}

/**
 * Looks at what is shown there, believed or not, and sends nothing. It always shakes hands anew: who goes on
 * with a session is shown no certificate.
 *
 * @throws the system's error; a TimeoutError
 */
export async function servedChain(address: HubAddress, timeoutMs: number): Promise<ServedChain> {
  const late = () => new DOMException('no answer in time', 'TimeoutError')
  const socket = await withDeadline(() => openUnverified(address), timeoutMs, late)
  const chain = certificatesOf(socket)
  socket.destroy()
  const { CN, O } = chain[0]!.issuer
  return {
    issuer: [CN ?? O ?? 'nobody'].flat().join(', '),
    from: Math.max(...chain.map(({ valid_from }) => Date.parse(valid_from))),
    until: Math.min(...chain.map(({ valid_to }) => Date.parse(valid_to))),
  }
}

function certificatesOf(socket: TLSSocket): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = []
  let shown: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (shown?.raw && chain.length < MAX_CHAIN) {
    chain.push(shown)
    // That of a root leads to itself.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate
  }
  return chain
}

/** Of OpenSSL and Node.js, for a certificate that is not accepted. */
const OF_CERTIFICATE = /CERT|ISSUER|LEAF_SIGNATURE/

/**
 * Says of a certificate that is not accepted whose it is: that gives away a firewall that reads along.
 *
 * @returns the error, or a better one
 */
export async function explainCertificate(
  address: HubAddress,
  error: ConnectError,
  timeoutMs: number,
): Promise<ConnectError> {
  if (!OF_CERTIFICATE.test(networkErrorCode(error) ?? '')) return error
  // Where it isn't shown again, what is known is told.
  const shown = await servedChain(address, timeoutMs).catch(() => undefined)
  // Whoever answers there may show dates that no calendar has.
  if (!shown || Number.isNaN(shown.from + shown.until)) return error
  const [from, until] = [shown.from, shown.until].map((time) => new Date(time).toISOString().slice(0, 10))
  const message = `${error.message} (signed by ${shown.issuer}, valid from ${from} to ${until})`
  return new ConnectError(error.code, message, { cause: error, hints: error.hints, fix: error.fix })
}
