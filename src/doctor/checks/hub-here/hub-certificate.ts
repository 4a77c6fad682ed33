import { counted } from '../../../text/counted.ts'
import { certificateTroubles } from '../../../hub/control/certificate-troubles.ts'
import type { Check } from '../../check.ts'
import { requireHubStatus, type HubHereContext } from '../../hub-inspection.ts'
import { Skipped } from '../../way/skipped.ts'

export const hubCertificate: Check<HubHereContext> = {
  name: 'hub-certificate',
  group: 'hub-here',
  title: 'Its certificate',
  async run(context) {
    const { certificate } = (await requireHubStatus(context)).status
    if (!certificate) throw new Skipped('It speaks plain http')
    const { notAfter } = certificate
    const left = Date.parse(notAfter) - Date.now()
    const valid = `Valid until ${notAfter.slice(0, 10)}, for ${counted(Math.floor(left / 86_400_000), 'more day')}`
    const troubles = certificateTroubles(certificate)
    const worst = troubles.find(({ isRefused }) => isRefused) ?? troubles[0]
    if (!worst) return { state: 'ok', seen: valid }
    return { state: worst.isRefused ? 'failed' : 'warning', seen: worst.what, fix: worst.fix }
  },
}
