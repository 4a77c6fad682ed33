import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import { requireHubStatus, type HubHereContext } from '../../hub-inspection.ts'
import { told } from '../../told.ts'
import { Skipped } from '../../way/skipped.ts'

export const hubCertificate: Check<HubHereContext> = {
  name: 'hub-certificate',
  group: 'hub-here',
  title: 'Its certificate',
  run: (context) =>
    told(async () => {
      const { certificate } = (await requireHubStatus(context)).status
      if (!certificate) throw new Skipped('It speaks plain http')
      const { notAfter, own, warning } = certificate
      const left = Date.parse(notAfter) - Date.now()
      const valid = `Valid until ${notAfter.slice(0, 10)}, for ${counted(Math.floor(left / 86_400_000), 'more day')}`
      if (warning === null) return { state: 'ok', seen: valid }
      return {
        state: left > 0 ? 'warning' : 'failed',
        seen: warning,
        fix: own
          ? 'The hub renews it by itself; its log says what keeps it: connect hub logs'
          : 'Have it renewed: the hub takes the new one from its files by itself',
      }
    }),
}
