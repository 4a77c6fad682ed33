import { readLastBackup } from '../../../hub/backup/last-backup.ts'
import { counted } from '../../../text/counted.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import { quietly, requireHub, type HubHereContext } from '../../hub-inspection.ts'
import { Skipped } from '../../way/skipped.ts'

const DAY_MS = 86_400_000

/** How much of what has changed may be lost. */
const OLD_MS = 7 * DAY_MS

const FIX = 'Run, best by a timer, and keep it elsewhere: connect hub backup ~/hub-$(date +%F).db'

/** How old the last backup is, and whether what is saved has changed since. */
export const hubBackup: Check<HubHereContext> = {
  name: 'hub-backup',
  group: 'hub-here',
  title: 'Its last backup',
  async run(context) {
    const { instance, said } = await quietly(() => requireHub(context))
    const mark = (await context.hubData().catch(() => undefined))?.mark
    if (!mark) throw new Skipped('Not looked at, since there is no sound database')
    const last = readLastBackup(instance.dataFolder)
    if (last?.id !== mark.id && said?.status?.joined === 0)
      throw new Skipped('Nothing to lose yet: no machine has joined')
    if (last?.id !== mark.id)
      return { state: 'warning', seen: 'No backup of it was made from here', fix: FIX }
    const age = Date.now() - Date.parse(last.madeAt)
    const days = Math.floor(age / DAY_MS)
    const made = `${last.madeAt.slice(0, 10)}${days > 0 ? `, ${counted(days, 'day')} ago` : ''}`
    const seen = `Made on ${made}, to ${tilde(last.file)}`
    if (last.generation === mark.generation)
      return { state: 'ok', seen: `${seen}; nothing has changed since` }
    if (age <= OLD_MS) return { state: 'ok', seen }
    return { state: 'warning', seen: `${seen}; the hub has changed since`, fix: FIX }
  },
}
