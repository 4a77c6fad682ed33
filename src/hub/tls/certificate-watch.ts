import { unwatchFile, watchFile } from 'node:fs'
import { messageOf } from '../../errors.ts'
import { readCertificate, type Certificate, type CertificateFiles } from './certificate.ts'
import { day } from './dates.ts'

/** How often the files are looked at, in ms. */
const LOOK_EVERY_MS = 1000

export interface CertificateWatch {
  /** Looks at the files now. */
  look(): void
  end(): void
}

/**
 * Follows a certificate that is renewed in place, by rename, or by a switch of links (certbot, Kubernetes).
 * Polls the files themselves: a change behind a link is no event in its folder.
 *
 * @param current the one that was read last
 * @param use takes another one
 */
export function watchCertificate(
  files: CertificateFiles,
  current: Certificate,
  log: (line: string) => void,
  use: (certificate: Certificate) => void,
): CertificateWatch {
  let last = current
  let lastFailure = ''
  const look = () => {
    try {
      const certificate = readCertificate(files)
      // Each of two files that change is seen to by itself.
      if (isSame(certificate, last) && lastFailure === '') return
      last = certificate
      lastFailure = ''
      log(`[ok] TLS certificate renewed: valid until ${day(certificate.validTo)}`)
      for (const warning of certificate.warnings) log(`[!] ${warning}`)
      use(certificate)
    } catch (error) {
      // Certificate and key change one after the other, and don't match in between. The old pair still works.
      const failure = messageOf(error)
      if (failure !== lastFailure) log(`[!] ${failure}. The TLS certificate in use stays`)
      lastFailure = failure
    }
  }
  const watched = new Set([files.cert, files.key])
  for (const file of watched) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, look)
  return {
    look,
    end() {
      for (const file of watched) unwatchFile(file, look)
    },
  }
}

function isSame({ options: a }: Certificate, { options: b }: Certificate): boolean {
  return a.cert === b.cert && a.key === b.key
}
