import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import { requireHubStatus, type HubHereContext } from '../../hub-inspection.ts'
import { told } from '../../told.ts'

/** Whether what changes outlives the hub. */
export const hubSaved: Check<HubHereContext> = {
  name: 'hub-saved',
  group: 'hub-here',
  title: 'Saving what changes',
  run: (context) =>
    told(async () => {
      const { status, instance } = await requireHubStatus(context)
      const { unsaved } = status
      if (!unsaved) return { state: 'ok', seen: 'All is saved' }
      return {
        state: 'failed',
        seen: `It can’t save, ${counted(unsaved.changes, 'change')} would be lost: ${unsaved.reason}`,
        fix: `See to the disk and to ${instance.dataFolder}; it tries again by itself`,
      }
    }),
}
