import { hubOf } from '../../../config/config.ts'
import { ConnectError } from '../../../errors.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** Without a config that can be read, this machine is nobody to any hub. */
export const config: Check<DoctorContext> = {
  name: 'config',
  group: 'files',
  title: 'Configuration',
  async run(context) {
    try {
      const found = await context.config()
      if (found) return { state: 'ok', seen: `Logged in to ${hubOf(found)} as ${found.label}` }
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      return { state: 'failed', seen: error.message, fix: error.hints[0]! }
    }
    const hub = await context.hub().catch(() => undefined)
    if (hub && hub.state !== 'none')
      return { state: 'skipped', seen: 'This machine is not logged in to a hub, but has one of its own' }
    return { state: 'warning', seen: 'This machine is not logged in to a hub', fix: 'Run: connect up' }
  },
}
