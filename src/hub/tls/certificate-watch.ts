import { unwatchFile, watchFile } from 'node:fs'
import { messageOf } from '../../errors.ts'
import { readCertificate, type Certificate, type CertificateFiles } from './certificate.ts'
import { day } from './dates.ts'

/** How often the files are looked at, in ms. */
const LOOK_EVERY_MS = 1000

/**
 * Follows a certificate that is renewed in place, by rename, or by a switch of links (certbot, Kubernetes).
 * Polls the files themselves: a change behind a link is no event in its folder.
 *
 * @param use takes the new certificate
 * @returns ends the watch
 */
export function watchCertificate(
  files: CertificateFiles,
  log: (line: string) => void,
  use: (certificate: Certificate) => void,
): () => void {
  let lastFailure = ''
  const reload = () => {
    try {
      const certificate = readCertificate(files)
      lastFailure = ''
      log(`[ok] TLS certificate renewed: valid until ${day(certificate.validTo)}`)
      use(certificate)
      for (const warning of certificate.warnings) log(`[!] ${warning}`)
    } catch (error) {
      // Certificate and key change one after the other, and don't match in between. The old pair still works.
      const failure = messageOf(error)
      if (failure !== lastFailure) log(`[!] ${failure}. The TLS certificate in use stays`)
      lastFailure = failure
    }
  }
  const watched = new Set([files.cert, files.key])
  for (const file of watched) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, reload)
  return () => {
    for (const file of watched) unwatchFile(file, reload)
  }
}
