import { X509Certificate } from 'node:crypto'
import { loadTls } from '../../net/tls.ts'

/** What to do about it. */
export const MISFIT_FIX =
  'Give --url an address with a name that it is for, or --tls-cert and --tls-key a certificate for this one; a reverse proxy may show another there'

/** A certificate may be for a hundred names. */
const MAX_NAMES = 3

/**
 * What keeps agents from accepting a certificate at an address, by the very rule that they go by.
 *
 * @param what for example `The certificate /etc/hub.pem`
 * @param pem it comes first in it
 * @param url the address that others are told
 * @returns a sentence without a full stop; undefined if the certificate is for that host
 */
export function misfit(what: string, pem: string, url: string): string | undefined {
  const { hostname, protocol } = new URL(url)
  // Plain http there is a proxy's matter.
  if (protocol !== 'https:') return undefined
  const host = hostname.replace(/^\[|\]$/g, '')
  const certificate = new X509Certificate(pem)
  if (!loadTls().checkServerIdentity(host, certificate.toLegacyObject())) return undefined
  return `${what} is for ${namesOf(certificate)}, and others are told ${url}: no agent accepts it there`
}

function namesOf({ subjectAltName = '' }: X509Certificate): string {
  const names = [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name = '']) => name)
  if (names.length === 0) return 'no host'
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : ''
  return `${names.slice(0, MAX_NAMES).join(', ')}${more}`
}
