import { MISFIT_FIX } from '../tls/misfit.ts'
import type { HubStatus } from './schema.ts'

type Certificate = NonNullable<HubStatus['certificate']>

/** What is wrong with a certificate that is served, or soon will be. */
export interface CertificateTrouble {
  /** A sentence without a full stop. */
  readonly what: string
  /** A sentence's end: what to do about it. */
  readonly fix: string
  /** No agent accepts it, wherever it is shown. */
  readonly isRefused: boolean
}

/** What a hub knows of its certificate that whoever runs it should do something about. */
export function certificateTroubles({ notAfter, own, warning, misfit }: Certificate): CertificateTrouble[] {
  const dates = {
    fix: own
      ? 'See what keeps the hub from renewing it by itself: connect hub logs'
      : 'Have it renewed: the hub takes the new one from its files by itself',
    isRefused: Date.parse(notAfter) <= Date.now(),
  }
  return [
    ...(warning === null ? [] : [{ what: warning, ...dates }]),
    ...(typeof misfit === 'string' ? [{ what: misfit, fix: MISFIT_FIX, isRefused: false }] : []),
  ]
}
