import { codeOf, ConnectError, messageOf } from '../errors.ts'

const TEXTS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed',
  EACCES: 'not permitted',
  EADDRNOTAVAIL: 'no such address',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  ENOTFOUND: 'host name not found',
  EPIPE: 'connection closed',
  EPROTO: 'what answered there does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'what answered there does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'what answered there does not speak TLS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another name',
  ETIMEDOUT: 'no answer in time',
  SELF_SIGNED_CERT_IN_CHAIN: 'its TLS certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its TLS certificate is signed by an unknown authority',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_SOCKET: 'connection closed',
}

/** The system error code of a failed connection, looked for where Node.js hides it. */
export function networkErrorCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return networkErrorCode(error.errors[0])
  const known = codeOf(error)
  if (known !== undefined && known in TEXTS) return known
  if (error instanceof Error && error.cause !== undefined) return networkErrorCode(error.cause)
  if (error instanceof Error && error.name === 'TimeoutError') return 'ETIMEDOUT'
  return known
}

/** Why a connection failed, in words. */
export function describeNetworkError(error: unknown): string {
  const known = TEXTS[networkErrorCode(error) ?? '']
  if (known !== undefined) return known
  // fetch itself only says that it failed.
  return error instanceof Error && error.cause !== undefined
    ? describeNetworkError(error.cause)
    : messageOf(error)
}

/** A hub that could not be reached, and what to look at. */
export function hubUnreachable(hub: string, error: unknown): ConnectError {
  const why = describeNetworkError(error)
  const isUntrusted = /SELF_SIGNED|UNABLE_TO_VERIFY/.test(networkErrorCode(error) ?? '')
  return new ConnectError('HUB_UNREACHABLE', `Could not reach the hub at ${hub}: ${why}`, {
    cause: error,
    ...(isUntrusted && {
      hints: ['If the certificate is your own, name its CA file in NODE_EXTRA_CA_CERTS.'],
    }),
  })
}
