import { hubOf } from '../../../config/config.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { unlessToldByMode } from './told-by-mode.ts'

/** Without a config that can be read, this machine is nobody to any hub. */
export const config: Check<DoctorContext> = {
  name: 'config',
  group: 'files',
  title: 'Configuration',
  async run(context) {
    const { configFile } = context.instance
    const found = await unlessToldByMode(context, [configFile], () => context.config())
    if (found) return { state: 'ok', seen: `Logged in to ${hubOf(found)} as ${found.label}` }
    // What keeps a hub from being looked at, its own checks tell.
    const report = await context.hubReport().catch(() => undefined)
    if (report && report.hub.state !== 'none')
      return { state: 'skipped', seen: 'This machine is not logged in to a hub, but has one of its own' }
    return {
      state: 'warning',
      seen: 'This machine is not logged in to a hub',
      fix: 'With an invite to a hub, run: connect login',
    }
  },
}
