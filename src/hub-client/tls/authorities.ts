import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import { readCaFile } from '../../config/ca-file.ts'
import { ConnectError } from '../../errors.ts'
import { loadTls } from '../../net/tls.ts'
import { offeredCiphers } from './ciphers.ts'

/** Where OpenSSL looks, by how Node.js was built: its own, Debian's, Fedora's. */
const OPENSSL_FOLDERS = ['/etc/ssl/certs', '/usr/lib/ssl/certs', '/etc/pki/tls/certs']

let made: { readonly own: string; readonly context: SecureContext } | undefined

/**
 * Whose certificates are believed: the authorities that Node.js knows, those that this machine knows (a
 * company's own among them), and the user's. To collect the authorities takes some 40 ms, so they are kept.
 *
 * @param caFile read each time: the file may be renewed while an agent runs
 * @throws ConnectError BAD_CA
 */
export function trustContext(caFile: string | undefined): SecureContext {
  const own = caFile === undefined ? '' : readCaFile(caFile)
  if (made?.own !== own) {
    made = {
      own,
      context: contextFor([...knownAuthorities(), own]),
    }
  }
  return made.context
}

let pinned: { readonly authority: string; readonly context: SecureContext } | undefined

/**
 * Believes the certificates of one authority, and of none that this machine knows besides: a company's own
 * can't read along then.
 *
 * @param authority its certificate as PEM; it may be an intermediate one, or the hub's own
 * @throws ConnectError CONFIG_DAMAGED: what OpenSSL finds no certificate in would be no restriction
 */
export function pinnedContext(authority: string): SecureContext {
  if (pinned?.authority !== authority)
    pinned = { authority, context: contextFor([certificateIn(authority)], { allowPartialTrustChain: true }) }
  return pinned.context
}

function certificateIn(authority: string): string {
  try {
    return new X509Certificate(authority).toString()
  } catch (error) {
    throw new ConnectError(
      'CONFIG_DAMAGED',
      'The certificate of the hub’s authority in the config is damaged',
      {
        cause: error,
      },
    )
  }
}

function contextFor(ca: string[], how: SecureContextOptions = {}): SecureContext {
  const tls = loadTls()
  return tls.createSecureContext({
    ...how,
    ca,
    ciphers: offeredCiphers(tls.DEFAULT_CIPHERS),
    minVersion: 'TLSv1.2',
  })
}

function knownAuthorities(): string[] {
  const tls = loadTls()
  // Node.js before 22.15 can't list them. What is not named is not trusted, NODE_EXTRA_CA_CERTS included.
  if (typeof tls.getCACertificates !== 'function') return [...tls.rootCertificates, ...extraAuthorities()]
  const system = hasSystemAuthorities() ? tls.getCACertificates('system') : []
  return [...new Set([...tls.getCACertificates('default'), ...system])]
}

/**
 * Whether there may be any. Where the folder is missing, as in a small container, Node.js finds none and
 * prints a line to stderr for each process.
 */
function hasSystemAuthorities(): boolean {
  const { SSL_CERT_DIR, SSL_CERT_FILE } = process.env
  if (process.platform !== 'linux') return true
  const folders = SSL_CERT_DIR === undefined ? OPENSSL_FOLDERS : [SSL_CERT_DIR]
  return [...folders, SSL_CERT_FILE ?? '/etc/ssl/cert.pem'].some((name) => existsSync(name))
}

function extraAuthorities(): string[] {
  const file = process.env.NODE_EXTRA_CA_CERTS
  if (!file) return []
  try {
    return [readFileSync(file, 'utf8')]
  } catch {
    // Node.js itself has warned of it.
    return []
  }
}
