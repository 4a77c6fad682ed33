import { readFileSync } from 'node:fs'
import type { SecureContext } from 'node:tls'
import { readCaFile } from '../../config/ca-file.ts'
import { loadTls } from '../../net/tls.ts'
import { offeredCiphers } from './ciphers.ts'

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
      context: loadTls().createSecureContext({
        ca: [...knownAuthorities(), own],
        ciphers: offeredCiphers(loadTls().DEFAULT_CIPHERS),
        minVersion: 'TLSv1.2',
      }),
    }
  }
  return made.context
}

function knownAuthorities(): string[] {
  const tls = loadTls()
  // Node.js before 22.15 can't list them. What is not named is not trusted, NODE_EXTRA_CA_CERTS included.
  if (typeof tls.getCACertificates !== 'function') return [...tls.rootCertificates, ...extraAuthorities()]
  return [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])]
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
