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
 * What a hub's settings come to. It makes its own certificate where others reach it and it was given none.
 *
 * @throws ConnectError BAD_TARGET, BAD_HUB_URL, INSECURE_HUB, BAD_VALUE
 */
export function servingOf(settings: HubSettings): Serving {
  const { listen = DEFAULT_LISTEN, insecure = false, url } = settings
  const { host, port } = parseListenAddress(listen)
  const own = isLoopback(host) || insecure ? undefined : 'own'
  return {
    folder: hubInstance(settings).folder,
    host,
    port,
    tls: certificateFiles(settings) ?? own,
    url: url === undefined ? undefined : parseHubUrl(url, { insecure }),
  }
}

/** Whether others can reach it by plain http. */
export function isInsecure({ host, tls }: Serving): boolean {
  return tls === undefined && !isLoopback(host)
}

function certificateFiles({ tlsCert, tlsKey }: HubSettings): { cert: string; key: string } | undefined {
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: tlsCert, key: tlsKey }
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  const [given, missing] = tlsCert === undefined ? ['--tls-key', '--tls-cert'] : ['--tls-cert', '--tls-key']
  throw new ConnectError('BAD_VALUE', `${given} is of no use without ${missing}`, {
    hints: ['Give both: --tls-cert FILE --tls-key FILE'],
  })
}
