import { isIP } from 'node:net'
import { ConnectError } from '../errors.ts'

export const DEFAULT_HUB_URL = 'https://hub.privateconnect.co'

/**
 * Checks a hub's address and brings it into one form: `http:` or `https:` (from `ws:` and `wss:` too), no
 * trailing slash. Without a scheme it is https, and on this machine http, as `connect hub` speaks by itself.
 *
 * @throws ConnectError BAD_HUB_URL, or INSECURE_HUB for plain http that leads off this machine
 */
export function parseHubUrl(text: string, options: { insecure: boolean }): string {
  let url: URL
  try {
    url = new URL(withScheme(text))
  } catch {
    // What can't be parsed may still hold a password, before its @.
    throw new ConnectError('BAD_HUB_URL', text.includes('@') ? 'This is not a URL' : `"${text}" is not a URL`)
  }
  const scheme = { 'http:': 'http:', 'ws:': 'http:', 'https:': 'https:', 'wss:': 'https:' }[url.protocol]
  // Never print the URL here: it may carry a password.
  if (url.username || url.password)
    throw new ConnectError('BAD_HUB_URL', 'The hub URL has a user name or password in it')
  if (!scheme || !url.hostname) throw new ConnectError('BAD_HUB_URL', `"${text}" is not an http or https URL`)
  if (url.search || url.hash) throw new ConnectError('BAD_HUB_URL', `"${text}" has a query or fragment`)
  if (scheme === 'http:' && !options.insecure && !isLoopback(url.hostname)) {
    throw new ConnectError('INSECURE_HUB', `${url.host} would be reached over plain http`)
  }
  return `${scheme}//${url.host}${url.pathname.replace(/\/+$/, '')}`
}

/** `example.com:8443` would be read as a scheme and a path. */
function withScheme(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text
  const https = `https://${text}`
  return URL.canParse(https) && isLoopback(new URL(https).hostname) ? `http://${text}` : https
}

/**
 * Whether a host name or address (brackets allowed) can only mean this machine (RFC 6761
 * §6.3 for `localhost`).
 */
export function isLoopback(host: string): boolean {
  const bare = withoutBrackets(host).toLowerCase()
  if (bare === 'localhost' || bare.endsWith('.localhost')) return true
  return isIP(bare) === 4 ? bare.startsWith('127.') : bare === '::1'
}

/** A host as sockets take it: in a URL an IPv6 address has brackets around it (RFC 3986 §3.2.2). */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}
