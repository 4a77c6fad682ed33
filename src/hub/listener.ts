import { isLoopback } from '../config/hub-url.ts'
import { parseListenAddress } from '../config/target.ts'
import { ConnectError } from '../errors.ts'
import type { CertificateFiles } from './tls/certificate.ts'

export const DEFAULT_LISTEN = '127.0.0.1:7700'

/** Where and how a hub listens, and what others are told of that. */
export interface Listener {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /** HTTPS alone is spoken with it, plain HTTP without. */
  readonly tls?: CertificateFiles | undefined
  /** The address that others are told; without it one that is made of host and port. */
  readonly url?: string | undefined
  /** What whoever runs the hub should know, a line each. */
  readonly warnings: readonly string[]
}

/** What was asked for: by flags, or by what is saved of them, see config/hub/hub-settings.ts. */
export interface ListenerSettings {
  readonly listen?: string | undefined
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
  readonly insecure?: boolean | undefined
  readonly url?: string | undefined
}

/** @throws ConnectError BAD_TARGET, BAD_VALUE, INSECURE_HUB */
export function listenerOf(settings: ListenerSettings): Listener {
  const { listen = DEFAULT_LISTEN, insecure = false, url } = settings
  const { host, port } = parseListenAddress(listen)
  const tls = certificateFiles(settings)
  const isPlain = !tls && !isLoopback(host)
  if (isPlain && !insecure) {
    throw new ConnectError('INSECURE_HUB', `The hub would speak plain http on ${listen}`, {
      hints: [
        'Give it a certificate with --tls-cert and --tls-key, or put a reverse proxy with TLS before it; or accept the risk with --insecure.',
      ],
    })
  }
  const warnings = isPlain
    ? [`[!] The hub speaks plain http on ${listen}: anyone on the way can read the traffic`]
    : []
  return { host, port, tls, url, warnings }
}

/** @throws ConnectError BAD_VALUE if one is given without the other */
function certificateFiles({ tlsCert: cert, tlsKey: key }: ListenerSettings): CertificateFiles | undefined {
  if (cert !== undefined && key !== undefined) return { cert, key }
  if (cert === undefined && key === undefined) return undefined
  const [given, missing] = cert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key']
  throw new ConnectError('BAD_VALUE', `${given} is of no use without ${missing}`, {
    hints: ['Give both: --tls-cert FILE --tls-key FILE'],
  })
}
