import { ConnectError } from '../../errors.ts'
import { isLoopback, parseHubUrl } from '../hub-url.ts'
import { parseListenAddress } from '../target.ts'
import { hubInstance } from './hub-instance.ts'
import type { HubSettings } from './hub-settings.ts'

export const DEFAULT_LISTEN = '127.0.0.1:7700'

/** How a hub is to serve. */
export interface Serving {
  /** Of its data; absolute. */
  readonly folder: string
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /** HTTPS with these files, or with a certificate of its own; without it plain http. */
  readonly tls: { readonly cert: string; readonly key: string } | 'own' | undefined
  /** The address that others are told. */
  readonly url: string | undefined
}

/**
 * What a hub's settings come to. It makes its own certificate if it was given none: on loopback too, where
 * any user of the machine can take the port while the hub is down. Only one in the foreground, for a trial,
 * speaks plain http there.
 *
 * @throws ConnectError BAD_TARGET, BAD_HUB_URL, INSECURE_HUB, BAD_VALUE
 */
export function servingOf(settings: HubSettings, mode: 'daemon' | 'foreground' = 'daemon'): Serving {
  const { listen = DEFAULT_LISTEN, plainHttp = false, insecure = false } = settings
  const { host, port } = parseListenAddress(listen)
  if (plainHttp && !insecure && !isLoopback(host)) throw plainBeyondLoopback(listen)
  const isPlain = plainHttp || insecure || (mode === 'foreground' && isLoopback(host))
  const tls = certificateFiles(settings) ?? (isPlain ? undefined : 'own')
  return { folder: hubInstance(settings).dataFolder, host, port, tls, url: urlOf(settings, tls) }
}

/** Whether others can reach it by plain http. */
export function isInsecure({ host, tls }: Serving): boolean {
  return tls === undefined && !isLoopback(host)
}

/** Whether others are told an address that only a reverse proxy on this machine can have. */
export function isBehindProxy({ host, url }: Serving): boolean {
  return isLoopback(host) && url !== undefined && !isLoopback(new URL(url).hostname)
}

function plainBeyondLoopback(listen: string): ConnectError {
  return new ConnectError(
    'INSECURE_HUB',
    `Other machines reach ${listen}, and --plain-http is for loopback`,
    {
      hints: [
        'Leave it out: the hub then has a certificate of its own. One that was given before is forgotten with --reset.',
        'Or accept the risk with --insecure: anyone on the way can read along.',
      ],
    },
  )
}

function urlOf({ url, insecure = false }: HubSettings, tls: Serving['tls']): string | undefined {
  if (url === undefined) return undefined
  const told = parseHubUrl(url, { insecure })
  if (tls !== 'own' || !told.startsWith('http:') || !isLoopback(new URL(told).hostname)) return told
  throw new ConnectError('BAD_VALUE', `The hub speaks HTTPS, and ${told} is plain http`, {
    hints: [`Give --url ${told.replace(/^http/, 'https')}, or have it speak plain http: --plain-http`],
  })
}

function certificateFiles({ tlsCert, tlsKey, plainHttp }: HubSettings): Exclude<Serving['tls'], 'own'> {
  if (plainHttp && (tlsCert !== undefined || tlsKey !== undefined))
    throw new ConnectError('BAD_VALUE', 'A hub with a certificate speaks HTTPS, and not --plain-http', {
      hints: ['Leave one of them out. What was given before is forgotten with --reset.'],
    })
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey }
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  const [given, missing] = tlsCert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key']
  throw new ConnectError('BAD_VALUE', `${given} is of no use without ${missing}`, {
    hints: ['Give both: --tls-cert FILE --tls-key FILE'],
  })
}
