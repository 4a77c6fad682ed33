import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Stats } from 'node:fs'
import { ConnectError } from '../../errors.ts'
import { readText } from '../../files/read-text.ts'
import { belongsToUs, checkTrusted } from '../../files/trust.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import type { Issued } from './issue.ts'

/** A certificate and its key as one file has them: so a kill can't leave the one without the other. */
export function pemPair({ certificate, key }: Issued, chain: readonly X509Certificate[] = []): string {
  const certificates = [certificate, ...chain].map(String)
  return `${certificates.join('')}${key.export({ type: 'pkcs8', format: 'pem' }).toString()}`
}

/**
 * Reads what pemPair has made.
 *
 * @returns undefined if there is no such file
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED, HUB_KEY_EXPOSED; any other error if it is damaged
 */
export function readPemPair(file: string): Issued | undefined {
  const text = readText(file, (found) => checkPrivate(file, found))
  return text === undefined ? undefined : parsePemPair(text)
}

/** @throws any error if it is damaged */
export function parsePemPair(text: string): Issued {
  const [certificate, key] = [new X509Certificate(text), createPrivateKey(text)]
  if (!certificate.checkPrivateKey(key)) throw new Error('the key is not that of the certificate')
  return { certificate, key }
}

function checkPrivate(file: string, found: Stats): void {
  if (process.platform !== 'win32' && belongsToUs(found) && (found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8)
    throw new ConnectError('HUB_KEY_EXPOSED', `${file} can be read by other users (mode ${mode})`, {
      hints: [`Run: chmod 600 ${shellQuote(file)}`],
    })
  }
  checkTrusted(file, found)
}
