import { constants, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { statSync } from 'node:fs'
import { codeOf, ConnectError, messageOf } from '../../errors.ts'
import { readTrusted } from '../../files/read-trusted.ts'
import { loadTls } from '../../net/tls.ts'
import { shellQuote } from '../../text/shell-quote.ts'

/** Where a certificate and its key lie; both files are PEM. */
export interface CertificateFiles {
  /** The certificate, then the intermediate ones. */
  readonly cert: string
  readonly key: string
}

export interface Certificate {
  /** For tls.createSecureContext. */
  readonly options: { readonly cert: string; readonly key: string } & typeof TLS
  readonly validFrom: Date
  readonly validTo: Date
  /** SHA-256 of the last certificate that is sent, in DER, as openssl prints it. */
  readonly fingerprint: string
  /** What whoever runs the hub should know besides its dates, a sentence each. */
  readonly warnings: readonly string[]
}

const BEGIN = '-----BEGIN CERTIFICATE-----'

const TLS = {
  minVersion: 'TLSv1.2',
  /** ChaCha20 for a client that has it first, as one does whose processor has no instructions for AES. */
  secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
} as const

/**
 * Reads a certificate and its key, and checks that a server can use them.
 *
 * @throws ConnectError BAD_CERTIFICATE
 */
export function readCertificate(files: CertificateFiles): Certificate {
  const cert = readPem(files.cert, 'certificate')
  const key = readPem(files.key, 'key')
  const x509 = parseCertificate(cert, files.cert)
  if (!x509.checkPrivateKey(parseKey(key, files.key))) {
    throw bad(`The key ${files.key} does not belong to the certificate ${files.cert}`)
  }
  const options = { cert, key, ...TLS }
  try {
    // The rest of the chain, and a key too weak for OpenSSL, show only here.
    loadTls().createSecureContext(options)
  } catch (error) {
    throw bad(`The certificate ${files.cert} can’t be used: ${messageOf(error)}`, error)
  }
  return {
    options,
    validFrom: x509.validFromDate,
    validTo: x509.validToDate,
    fingerprint: topmost(cert).fingerprint256,
    warnings: modeOf(files.key),
  }
}

/** SHA-256 of the last certificate in a file, as openssl prints it. @throws ConnectError BAD_CERTIFICATE */
export function lastFingerprint(file: string): string {
  const pem = readPem(file, 'certificate')
  return parseCertificate(pem.slice(Math.max(0, pem.lastIndexOf(BEGIN))), file).fingerprint256
}

function readPem(file: string, what: string): string {
  let text: string
  try {
    text = readTrusted(file)
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)
    throw bad(`Could not read the ${what} ${file}: ${why}`, error)
  }
  if (/-----BEGIN [A-Z0-9 ]+-----/.test(text)) return text
  throw bad(`The ${what} ${file} is not PEM: it has no line -----BEGIN …-----`)
}

function parseCertificate(pem: string, file: string): X509Certificate {
  if (!pem.includes(BEGIN)) throw bad(`${file} has no certificate in it`)
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw bad(`The certificate ${file} is damaged: ${messageOf(error)}`, error)
  }
}

function parseKey(pem: string, file: string): KeyObject {
  if (!pem.includes('PRIVATE KEY-----')) throw bad(`${file} has no private key in it`)
  // That a key is encrypted stands in the first line of PKCS #8, and in a header of the older form.
  if (/BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    const command = `openssl pkey -in ${shellQuote(file)} -out key.pem`
    const hints = [`Nobody is there to type it in. To take it off: ${command}`]
    throw new ConnectError('BAD_CERTIFICATE', `The key ${file} has a passphrase`, { hints })
  }
  try {
    return createPrivateKey(pem)
  } catch (error) {
    // The message of OpenSSL has nothing of the key in it.
    throw bad(`The key ${file} is damaged: ${messageOf(error)}`, error)
  }
}

/** The last certificate of a chain that has been checked. */
function topmost(pem: string): X509Certificate {
  return new X509Certificate(pem.slice(pem.lastIndexOf(BEGIN)))
}

/** Only a warning: container platforms mount secrets so. A group may be meant, as Debian’s ssl-cert. */
function modeOf(file: string): string[] {
  const isOpen = process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0
  if (!isOpen) return []
  return [`The key ${file} can be read by every user of this machine. Run: chmod o= ${shellQuote(file)}`]
}

function bad(message: string, cause?: unknown): ConnectError {
  const hints = cause instanceof ConnectError ? { hints: cause.hints } : {}
  return new ConnectError('BAD_CERTIFICATE', message, { cause, ...hints })
}
