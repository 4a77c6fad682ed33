import { ConnectError } from '../../errors.ts'
import { isLoopback } from '../hub-url.ts'
import { isExempt } from './no-proxy.ts'

/** An HTTP proxy on the way to a hub. */
export interface Proxy {
  /** `http:` or `https:`. May hold a password: print shownProxy instead. */
  readonly url: URL
  /** Where it is set, for people. */
  readonly source: string
}

interface SavedProxy {
  readonly hub: string
  /** As the config has it. */
  readonly proxy?: string | undefined
}

const SAVED = '"proxy" in the config'

/**
 * The proxy to go through: what the environment says, else the saved one. A daemon that a service manager
 * starts has no shell's environment.
 *
 * @returns undefined to go directly
 * @throws ConnectError BAD_PROXY
 */
export function proxyFor({ hub, proxy }: SavedProxy, env: NodeJS.ProcessEnv): Proxy | undefined {
  const found = inEnvironment(hub, env)
  if (found === 'direct') return undefined
  return found ?? (proxy === undefined ? undefined : parseProxy(proxy, SAVED))
}

/**
 * What to save of this environment for a daemon that will not have it. One without a word of proxies changes
 * nothing; NO_PROXY for this hub takes a saved one away.
 *
 * @throws ConnectError BAD_PROXY
 */
export function proxyToSave({ hub, proxy }: SavedProxy, env: NodeJS.ProcessEnv): string | undefined {
  const found = inEnvironment(hub, env)
  if (found === 'direct') return undefined
  return found?.url.href ?? proxy
}

/** Without user name and password. */
export function shownProxy({ protocol, host }: URL): string {
  return `${protocol}//${host}`
}

/** @returns undefined if it says nothing; `direct` if it says to use none */
function inEnvironment(hub: string, env: NodeJS.ProcessEnv): Proxy | 'direct' | undefined {
  const url = new URL(hub)
  if (isLoopback(url.hostname)) return 'direct'
  if (isExempt(url, env.no_proxy || env.NO_PROXY || '')) return 'direct'
  const [lower, upper] =
    url.protocol === 'https:'
      ? (['https_proxy', 'HTTPS_PROXY'] as const)
      : (['http_proxy', 'HTTP_PROXY'] as const)
  const name = env[lower] ? lower : upper
  const text = env[name]
  return text ? parseProxy(text, name) : undefined
}

/** `proxy.example.com:3128` is taken for http. */
function parseProxy(text: string, source: string): Proxy {
  const withScheme = text.includes('://') ? text : `http://${text}`
  // Never print the text: it may carry a password.
  if (!URL.canParse(withScheme)) throw new ConnectError('BAD_PROXY', `The proxy in ${source} is not a URL`)
  const url = new URL(withScheme)
  if (url.protocol === 'http:' || url.protocol === 'https:') return { url, source }
  const scheme = url.protocol.slice(0, -1)
  throw new ConnectError('BAD_PROXY', `The proxy in ${source} is a ${scheme} proxy, which is not supported`)
}
