import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import path from 'node:path'
import { ConnectError, messageOf } from '../../errors.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { authorityFile, keepAuthority, openAuthority, tlsFolder } from './authority.ts'
import type { CertificateFiles } from './certificate.ts'
import { day, type Validity } from './dates.ts'
import { EARLIEST, issueServer, type Issued } from './issue.ts'
import { pemPair, readPemPair } from './pem-pair.ts'
import { serverNames } from './server-names.ts'

/** How long before its end a certificate is replaced, in ms. */
const RENEW_BEFORE_MS = 30 * 86_400_000

export interface OwnOptions {
  /** The hub's data folder: `tls/` in it is ours. */
  readonly folder: string
  /** How the hub is reached, besides by the addresses of this machine. */
  readonly hosts: readonly string[]
  readonly log: (line: string) => void
  /** In ms since 1970. */
  readonly now: () => number
}

/**
 * The certificate that a hub makes for itself. An authority of the hub's own signs it: machines trust that,
 * and so the next certificate too.
 */
export class OwnCertificate {
  /** One file holds certificate and key. */
  readonly files: CertificateFiles
  /** The certificate that machines are to trust, as PEM. */
  readonly authorityFile: string
  readonly #folder: string
  readonly #authority: Issued
  readonly #options: OwnOptions
  #failure = ''

  private constructor(folder: string, authority: Issued, options: OwnOptions) {
    this.files = { cert: serverFile(folder), key: serverFile(folder) }
    this.authorityFile = authorityFile(folder)
    this.#folder = folder
    this.#authority = authority
    this.#options = options
  }

  /**
   * Only the holder of the hub's lock calls it.
   *
   * @throws ConnectError HUB_TLS_DAMAGED, HUB_KEY_EXPOSED, FILE_UNTRUSTED, CONFIG_UNREADABLE, WRITE_FAILED
   */
  static async open(options: OwnOptions): Promise<OwnCertificate> {
    const folder = tlsFolder(options.folder)
    ensurePrivateFolder(folder)
    const authority = await openAuthority(folder, existsSync(serverFile(folder)), options.now())
    const own = new OwnCertificate(folder, authority, options)
    await own.#makeIfDue()
    return own
  }

  /** The dates of the authority itself: after its end all machines have to be given another. */
  get authority(): Validity {
    const { validFromDate, validToDate } = this.#authority.certificate
    return { validFrom: validFromDate, validTo: validToDate }
  }

  /** Why there could be no other certificate, though it was time; else empty. */
  get failure(): string {
    return this.#failure
  }

  /**
   * Makes another certificate if it is time to, and writes what was deleted.
   *
   * @returns whether there is another now
   */
  async look(): Promise<boolean> {
    try {
      // A data folder that is gone is not made again here: its owner may be about to put another there.
      if (!existsSync(this.#options.folder)) return false
      ensurePrivateFolder(this.#folder)
      keepAuthority(this.#folder, this.#authority)
      return await this.#makeIfDue()
    } catch (error) {
      this.#failed(error)
      return false
    }
  }

  async #makeIfDue(): Promise<boolean> {
    const { hosts, log, now } = this.#options
    const names = serverNames(hosts)
    const found = this.#read()
    const why = found instanceof Error ? `is damaged (${messageOf(found)})` : this.#whyAnother(found, names)
    if (why === undefined) {
      this.#failure = ''
      return false
    }
    try {
      const next = await issueServer(names, this.#authority, now())
      writeFileAtomic(this.files.cert, pemPair(next, [this.#authority.certificate]))
      const until = day(next.certificate.validToDate)
      const reason = why === '' ? '' : `, since the last one ${why}`
      log(`[ok] The hub has made itself a certificate, valid until ${until}${reason}`)
      const today = day(new Date(now()))
      if (now() < EARLIEST)
        log(`[!] The clock says ${today}: once it is right the hub makes itself another certificate`)
      this.#failure = ''
      return true
    } catch (error) {
      // On a full disk the one that is there does for a while.
      if (!found || found instanceof Error) throw error
      this.#failed(error)
      return false
    }
  }

  /** @returns an error if it is damaged: nobody trusts this one by itself, so it can be replaced */
  #read(): X509Certificate | Error | undefined {
    try {
      return readPemPair(this.files.cert)?.certificate
    } catch (error) {
      if (error instanceof ConnectError) throw error
      return error as Error
    }
  }

  /** @returns what is wrong with the one that is there; undefined if nothing is, empty if there is none */
  #whyAnother(found: X509Certificate | undefined, names: readonly string[]): string | undefined {
    if (!found) return ''
    const now = this.#options.now()
    const { certificate: authority } = this.#authority
    if (!found.checkIssued(authority) || !found.verify(authority.publicKey))
      return 'was signed by another authority'
    // With an authority that has ended another certificate is worth no more.
    if (now > authority.validToDate.getTime()) return undefined
    if (found.validToDate.getTime() - now < RENEW_BEFORE_MS) return `ends on ${day(found.validToDate)}`
    // A clock that is known to be wrong is no reason.
    if (found.validFromDate.getTime() > now && now >= EARLIEST)
      return `is valid only from ${day(found.validFromDate)} on`
    const missing = names.filter((name) => !isFor(found, name))
    return missing.length > 0 ? `is not for ${missing.join(', ')}` : undefined
  }

  #failed(error: unknown): void {
    const failure = messageOf(error)
    if (failure !== this.#failure) this.#options.log(`[!] ${failure}. The hub’s certificate stays as it is`)
    this.#failure = failure
  }
}

/** The certificate, that of the authority, and the key. */
function serverFile(folder: string): string {
  return path.join(folder, 'hub.pem')
}

function isFor(certificate: X509Certificate, name: string): boolean {
  const found = isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name, { wildcards: false })
  return found !== undefined
}
