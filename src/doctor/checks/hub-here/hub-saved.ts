import { counted } from '../../../text/counted.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import { requireHubStatus, type HubHereContext } from '../../hub-inspection.ts'

/** Whether what changes outlives the hub. */
export const hubSaved: Check<HubHereContext> = {
  name: 'hub-saved',
  group: 'hub-here',
  title: 'Saving what changes',
  async run(context) {
    const { status, instance } = await requireHubStatus(context)
    const { unsaved } = status
    if (!unsaved) return { state: 'ok', seen: 'All is saved' }
    return {
      state: 'failed',
      seen: `It can’t save, ${counted(unsaved.changes, 'change')} would be lost: ${unsaved.reason}`,
      fix: `Free some space on the disk that holds ${tilde(instance.dataFolder)}, or have it written to; it tries again by itself: df -h ${tilde(instance.dataFolder)}`,
    }
  },
}
