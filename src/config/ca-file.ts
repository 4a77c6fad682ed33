import { X509Certificate } from 'node:crypto'
import { ConnectError, messageOf } from '../errors.ts'
import { readTrusted } from '../files/read-trusted.ts'

/**
 * Reads the certificates of authorities that are trusted besides the known ones.
 *
 * @returns PEM
 * @throws ConnectError BAD_CA
 */
export function readCaFile(file: string): string {
  let text: string
  try {
    text = readTrusted(file)
  } catch (error) {
    throw new ConnectError('BAD_CA', `Could not read the CA file ${file}: ${messageOf(error)}`, {
      cause: error,
      ...(error instanceof ConnectError && { hints: error.hints }),
    })
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (certificates.length === 0)
    throw new ConnectError('BAD_CA', `The CA file ${file} has no certificate in it`)
  try {
    return certificates.map((certificate) => new X509Certificate(certificate).toString()).join('')
  } catch (error) {
    throw new ConnectError('BAD_CA', `The CA file ${file} is damaged: ${messageOf(error)}`, { cause: error })
  }
}
