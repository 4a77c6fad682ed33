import { isIP } from 'node:net'
import type { Config } from '../../config/config.ts'
import { isLoopback, withoutBrackets } from '../../config/hub-url.ts'

/** Of the config only what kind each thing is of. */
export function loginOf({ hub, proxy, ca, authority, insecure }: Config) {
  const url = URL.canParse(hub) ? new URL(hub) : undefined
  return {
    scheme: url?.protocol === 'https:' ? 'https' : 'http',
    host: url ? hostKind(url.hostname) : null,
    hasPath: url ? url.pathname !== '/' : null,
    insecure,
    proxy: proxy !== undefined,
    ca: ca !== undefined,
    pinned: authority !== undefined,
  }
}

/** What kind of host it is, and not which. */
export function hostKind(host: string): 'loopback' | 'address' | 'name' {
  if (isLoopback(host)) return 'loopback'
  return isIP(withoutBrackets(host)) === 0 ? 'name' : 'address'
}
