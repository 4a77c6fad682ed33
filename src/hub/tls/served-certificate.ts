import { watchCertificate } from './certificate-watch.ts'
import { readCertificate, type Certificate, type CertificateFiles } from './certificate.ts'
import { dateWarning, type DateWarning } from './dates.ts'
import { misfit, MISFIT_FIX } from './misfit.ts'
import { OwnCertificate } from './own-certificate.ts'

export interface CertificateStatus {
  /** When it ends, in ISO 8601. */
  readonly notAfter: string
  /** Whether the hub has made it itself. */
  readonly own: boolean
  /** SHA-256 of the topmost certificate that is sent, as openssl prints it. */
  readonly fingerprint: string
  /** The file of the authority that machines are to trust, where it is the hub's own. */
  readonly authority: string | null
  /** What is to be said of its dates, a sentence without a full stop. */
  readonly warning: string | null
  /** Why no agent accepts it at the address that others are told; null while that isn't known. */
  readonly misfit: string | null
}

export interface ServedOptions {
  /** The hub's data folder. */
  readonly folder: string
  /** How the hub is reached, besides by the addresses of this machine: for a certificate of its own. */
  readonly hosts: readonly string[]
  readonly log: (line: string) => void
  /** In ms since 1970; default: the clock. */
  readonly now?: () => number
  /** In ms, default 60,000. */
  readonly lookEveryMs?: number
}

/**
 * How often it is seen to that the certificate lasts, in ms. Clocks jump and machines sleep: so no timer is
 * set for a date.
 */
const LOOK_EVERY_MS = 60_000

/** The certificate of a hub that runs, given or its own: followed, renewed, and warned of before it ends. */
export class ServedCertificate {
  readonly #files: CertificateFiles
  readonly #own: OwnCertificate | undefined
  readonly #options: ServedOptions
  #current: Certificate
  #stageTold = Number.POSITIVE_INFINITY
  #misfitTold: string | undefined
  /** The address that others are told, once the hub has it. */
  #url: () => string | undefined = () => undefined

  private constructor(files: CertificateFiles, own: OwnCertificate | undefined, options: ServedOptions) {
    this.#files = files
    this.#own = own
    this.#options = options
    this.#current = readCertificate(files)
    for (const warning of this.#current.warnings) options.log(`[!] ${warning}`)
    this.#tellDates()
  }

  /**
   * @param source `own` for one that the hub makes; only the holder of its lock may
   * @throws ConnectError BAD_CERTIFICATE; HUB_TLS_DAMAGED, HUB_KEY_EXPOSED, FILE_UNTRUSTED,
   * CONFIG_UNREADABLE, WRITE_FAILED
   */
  static async open(source: CertificateFiles | 'own', options: ServedOptions): Promise<ServedCertificate> {
    if (source !== 'own') return new ServedCertificate(source, undefined, options)
    const own = await OwnCertificate.open({ ...options, now: options.now ?? Date.now })
    return new ServedCertificate(own.files, own, options)
  }

  /** For tls.createSecureContext. */
  get options(): Certificate['options'] {
    return this.#current.options
  }

  get status(): CertificateStatus {
    return {
      notAfter: this.#current.validTo.toISOString(),
      own: this.#own !== undefined,
      fingerprint: this.#current.fingerprint,
      authority: this.#own?.authorityFile ?? null,
      warning: this.#dateWarning()?.text ?? null,
      misfit: this.#misfit ?? null,
    }
  }

  /**
   * Follows the files, and sees to what is due.
   *
   * @param url the address that others are told, which may change
   * @param use takes a renewed certificate
   * @returns ends that
   */
  follow(url: () => string, use: (options: Certificate['options']) => void): () => void {
    this.#url = url
    this.#tellMisfit()
    const watch = watchCertificate(this.#files, this.#current, this.#options.log, (certificate) => {
      this.#current = certificate
      this.#stageTold = Number.POSITIVE_INFINITY
      use(certificate.options)
      this.#misfitTold = undefined
      this.#tellDates()
      this.#tellMisfit()
    })
    const look = async () => {
      if (await this.#own?.look()) watch.look()
      this.#tellDates()
      this.#tellMisfit()
    }
    const timer = setInterval(() => void look(), this.#options.lookEveryMs ?? LOOK_EVERY_MS)
    timer.unref()
    return () => {
      clearInterval(timer)
      watch.end()
    }
  }

  /** Each stage once. */
  #tellDates(): void {
    const warning = this.#dateWarning()
    const stage = warning?.stage ?? Number.POSITIVE_INFINITY
    if (warning && stage < this.#stageTold) this.#options.log(`[!] ${warning.text}`)
    this.#stageTold = stage
  }

  /** Once, until it is another. */
  #tellMisfit(): void {
    const text = this.#misfit
    if (text !== undefined && text !== this.#misfitTold) this.#options.log(`[!] ${text}. ${MISFIT_FIX}`)
    this.#misfitTold = text
  }

  /** Of its own one a hub sees to that itself. */
  get #misfit(): string | undefined {
    const url = this.#url()
    if (this.#own || url === undefined) return undefined
    return misfit(`The certificate ${this.#files.cert}`, this.#current.options.cert, url)
  }

  #dateWarning(): DateWarning | undefined {
    const now = (this.#options.now ?? Date.now)()
    if (!this.#own) return dateWarning(`The certificate ${this.#files.cert}`, this.#current, now)
    const own = dateWarning('The hub’s own certificate', this.#current, now)
    if (own && this.#own.failure !== '') return { ...own, text: `${own.text}. ${this.#own.failure}` }
    return own ?? dateWarning('The hub’s own authority', this.#own.authority, now)
  }
}
