import { codeOf, messageOf } from '../errors.ts'

const UNKNOWN_AUTHORITY = 'its TLS certificate is signed by an authority that this machine does not know'
const NO_TLS = 'what answered there does not speak TLS'
const OLD_TLS = 'it speaks no version of TLS that is still safe (1.2 or newer)'

const TEXTS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  CERT_NOT_YET_VALID: 'its TLS certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed',
  EACCES: 'not permitted',
  EADDRNOTAVAIL: 'no such address',
  EAFNOSUPPORT: 'this machine has no addresses of that kind',
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  EMFILE: 'this process has no file descriptor left (see: ulimit -n)',
  ENETUNREACH: 'the network is unreachable',
  ENFILE: 'this machine has no file descriptor left',
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  ENOTFOUND: 'host name not found',
  ENOTSOCK: 'it is no socket',
  EPIPE: 'connection closed',
  EPROTO: NO_TLS,
  EPROTOTYPE: 'it is a socket for another kind of connection',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OLD_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OLD_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another name',
  ETIMEDOUT: 'no answer in time',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
}

const trustIt = (login: string) =>
  `If the certificate is your own, or your company’s, name the file of its authority: ${login} --ca FILE`

const BE_INVITED =
  'If it is the hub’s own, ask for an invite, which tells it: connect hub token create --invite'

/** How many of a certificate's names are told. */
const MAX_NAMES = 5

/** Codes that mean that this machine has no way to an address: other attempts may say more. */
const NO_WAY: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH'])

/** The system's code of a failed connection, wherever Node.js hides it; of several, what tells most. */
export function networkErrorCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return networkErrorCode(telling(error)[0])
  const known = codeOf(error)
  if (known !== undefined && known in TEXTS) return known
  if (error instanceof Error && error.cause !== undefined) return networkErrorCode(error.cause)
  if (error instanceof Error && error.name === 'TimeoutError') return 'ETIMEDOUT'
  return known
}

/** Why a connection failed, in words; where each address has failed in its own way, with the addresses. */
export function describeNetworkError(error: unknown): string {
  const attempts = attemptsOf(error)
  if (attempts.length > 0) return describeAttempts(attempts)
  const code = networkErrorCode(error) ?? ''
  const known = TEXTS[code]
  if (known === undefined) return messageOf(error)
  const names = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? certificateNames(error) : []
  if (names.length === 0) return known
  const shown = names.slice(0, MAX_NAMES).join(', ')
  return `${known}: it is for ${shown}${names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''}`
}

/** Whether TLS was spoken to something that doesn’t speak it. */
export function isNoTls(error: unknown): boolean {
  return TEXTS[networkErrorCode(error) ?? ''] === NO_TLS
}

function attemptsOf(error: unknown): unknown[] {
  if (error instanceof AggregateError) return telling(error)
  return error instanceof Error && codeOf(error) === undefined ? attemptsOf(error.cause) : []
}

function telling({ errors }: AggregateError): unknown[] {
  const arrived = errors.filter((error) => !NO_WAY.has(networkErrorCode(error)))
  return arrived.length > 0 ? arrived : errors
}

function describeAttempts(attempts: readonly unknown[]): string {
  const byText = Map.groupBy(attempts, describeNetworkError)
  if (byText.size === 1) return [...byText.keys()][0]!
  return [...byText].map(([text, those]) => `${text} (${those.map(addressOf).join(', ')})`).join(', ')
}

function addressOf(error: unknown): string {
  return error instanceof Error && 'address' in error ? String(error.address) : 'one address'
}

/**
 * What to do about it, where the error itself says.
 *
 * @param login what logs in to where it was: without a hub the public one is meant
 */
export function networkHints(error: unknown, login = 'connect login'): string[] {
  const code = networkErrorCode(error) ?? ''
  const now = new Date()
    .toISOString()
    .replace(/:\d\d\.\d+Z$/, ' UTC')
    .replace('T', ' ')
  switch (code) {
    case 'CERT_HAS_EXPIRED': {
      return [`Whoever runs it must renew the certificate. Or this machine’s clock is wrong: it says ${now}`]
    }
    case 'CERT_NOT_YET_VALID': {
      return [`Set this machine’s clock, which most likely is wrong: it says ${now}`]
    }
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      return ['Use a name that the certificate is for, or have it issued for this one.']
    }
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY': {
      return [
        trustIt(login),
        BE_INVITED,
        'Else its certificate file lacks the intermediate ones: it must hold the full chain.',
      ]
    }
    default: {
      return TEXTS[code] === UNKNOWN_AUTHORITY || code === 'DEPTH_ZERO_SELF_SIGNED_CERT'
        ? [trustIt(login), BE_INVITED]
        : []
    }
  }
}

/** From the certificate that came: `DNS:a.example.com, IP Address:192.0.2.1`. */
function certificateNames(error: unknown): string[] {
  if (!(error instanceof Error) || !('cert' in error)) return []
  const { subjectaltname, subject } = error.cert as { subjectaltname?: string; subject?: { CN?: string } }
  if (subjectaltname === undefined) return subject?.CN === undefined ? [] : [subject.CN]
  return subjectaltname.split(', ').map((name) => name.replace(/^[^:]*:/, ''))
}
