import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** A certificate and its key, as PEM files. */
export interface IssuedCertificate {
  readonly cert: string
  readonly key: string
}

export interface IssueOptions {
  /** As openssl takes them: `DNS:hub.test`, `IP:127.0.0.1`. Default: loopback. */
  readonly names?: string
  /** Default 30; a negative number makes one that has expired. */
  readonly days?: number
  /** The authority's certificate follows in the file, and so is sent along. */
  readonly full?: boolean
  /** It tells who has signed it by their name alone, and not by their key. */
  readonly nameOnly?: boolean
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** A certificate authority of a test's own, made by openssl. */
export class TestAuthority {
  readonly folder: string
  readonly certFile: string
  readonly keyFile: string
  #issued = 0

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true })
    this.folder = folder
    this.certFile = path.join(folder, 'ca.pem')
    this.keyFile = path.join(folder, 'ca.key')
    openssl(
      'req',
      '-x509',
      ...KEY,
      '-subj',
      '/CN=Test CA',
      '-days',
      '30',
      '-keyout',
      this.keyFile,
      '-out',
      this.certFile,
    )
  }

  issue({
    names = 'DNS:localhost,IP:127.0.0.1,IP:::1',
    days = 30,
    full = false,
    nameOnly = false,
  }: IssueOptions = {}): IssuedCertificate {
    const file = (ending: string) => path.join(this.folder, `${number}.${ending}`)
    const number = ++this.#issued
    openssl('req', ...KEY, '-subj', '/CN=hub', '-keyout', file('key'), '-out', file('csr'))
    const by = nameOnly ? 'authorityKeyIdentifier=none\n' : ''
    writeFileSync(file('ext'), `subjectAltName=${names}\n${by}`)
    const signer = ['-CA', this.certFile, '-CAkey', this.keyFile, '-CAcreateserial', '-days', String(days)]
    openssl('x509', '-req', '-in', file('csr'), ...signer, '-extfile', file('ext'), '-out', file('pem'))
    if (full) appendFileSync(file('pem'), readFileSync(this.certFile))
    return { cert: file('pem'), key: file('key') }
  }

  /** Signed by its own key, and by nobody else. */
  selfSigned(): IssuedCertificate {
    const cert = path.join(this.folder, 'self.pem')
    const key = path.join(this.folder, 'self.key')
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    openssl(
      'req',
      '-x509',
      ...KEY,
      '-subj',
      '/CN=localhost',
      ...names,
      '-days',
      '30',
      '-keyout',
      key,
      '-out',
      cert,
    )
    return { cert, key }
  }
}

/** What a server is made with. */
export function pemOf({ cert, key }: IssuedCertificate): { cert: string; key: string } {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

export function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
