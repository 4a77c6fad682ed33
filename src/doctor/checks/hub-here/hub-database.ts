import type { Check } from '../../check.ts'
import { quietly, requireHub, type HubHereContext } from '../../hub-inspection.ts'
import { Skipped } from '../../way/skipped.ts'

export const hubDatabase: Check<HubHereContext> = {
  name: 'hub-database',
  group: 'hub-here',
  title: 'Its database',
  async run(context) {
    const { instance, hub, isDataAbsent } = await quietly(() => requireHub(context))
    if (isDataAbsent) throw new Skipped('Not looked at, since the hub’s data is not where it was')
    const data = await context.hubData()
    if (!data) {
      if (hub.state !== 'running') throw new Skipped('It has none yet')
      const seen = `It runs, and ${instance.mainFile} is gone`
      return { state: 'failed', seen, fix: 'Look what has removed it: connect hub logs' }
    }
    if (data.damage === undefined) return { state: 'ok', seen: 'Sound' }
    const seen = `${instance.mainFile} is damaged: ${data.damage}`
    return { state: 'failed', seen, fix: 'Run: connect hub stop, then: connect hub restore FILE' }
  },
}
