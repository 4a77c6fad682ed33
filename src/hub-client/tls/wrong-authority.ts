import { FIND_OWN_HUB } from '../../config/first-steps.ts'
import { isLoopback } from '../../config/hub-url.ts'
import { ConnectError } from '../../errors.ts'
import { describeNetworkError, networkErrorCode } from '../../net/network-error.ts'

/** OpenSSL’s words for a certificate that leads to no trusted one (openssl-verification-options(1)). */
const OTHER_AUTHORITY: ReadonlySet<string | undefined> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Whether the handshake failed since none of the trusted authorities has signed the certificate. */
export function isOfOtherAuthority(error: unknown): boolean {
  return OTHER_AUTHORITY.has(networkErrorCode(error))
}

const JOIN_AGAIN = 'ask for a new invite to it, and run: connect logout, then connect login'

/** What answers at a hub's address is not what the invite has named. */
export function wrongAuthority(hub: string, cause?: unknown): ConnectError {
  const message = `The certificate at ${hub} is not of the authority that this machine’s invite names`
  return new ConnectError('WRONG_AUTHORITY', message, {
    cause,
    fix: `If the hub has another certificate on purpose, ${JOIN_AGAIN}`,
    hints: isLoopback(new URL(hub).hostname)
      ? [
          'It is another hub or program on this machine. Nothing was sent to it.',
          FIND_OWN_HUB,
          'If it is another’s hub, ask for a new invite (connect hub token create --invite), and run: connect logout',
        ]
      : [
          'It is another hub, or something between here and the hub wants to read along. Nothing was sent to it.',
          'If the hub has another certificate on purpose, ask for a new invite (connect hub token create --invite).',
          'Where this machine is logged in already, forget the old one first: connect logout',
        ],
  })
}

/** What answers at the address of a hub that is known by its authority does not even speak TLS. */
export function withoutCertificate(hub: string, cause: unknown): ConnectError {
  const message = `Could not reach the hub at ${hub}: ${describeNetworkError(cause)}`
  return new ConnectError('HUB_UNREACHABLE', message, {
    cause,
    fix: `If the hub speaks plain http on purpose, ${JOIN_AGAIN}`,
    hints: [
      'This machine knows the hub by its certificate, and what has none is not believed. Nothing was sent to it.',
      isLoopback(new URL(hub).hostname)
        ? FIND_OWN_HUB
        : 'If the hub speaks plain http on purpose, ask for a new invite, and run: connect logout',
    ],
  })
}
