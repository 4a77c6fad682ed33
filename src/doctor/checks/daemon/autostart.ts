import type { PlatformStatus } from '../../../platforms/platform.ts'
import { isUnused } from '../../../tasks/machine/is-unused.ts'
import type { Check, Finding } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

export const autostart: Check<DoctorContext> = {
  name: 'autostart',
  group: 'daemon',
  title: 'Starts by itself',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const status = await context.daemon()
    if (status.installed) return installedOne(status)
    if (status.state !== 'running' && isUnused(context.instance))
      return { state: 'skipped', seen: 'It is not installed, and has nothing to do' }
    const { description } = await (await context.chosen()).forInstall()
    if (description.name === 'background')
      return { state: 'skipped', seen: 'It is not installed, and nothing here could keep it' }
    return {
      state: 'warning',
      seen: 'It is not installed: nobody starts it after a crash or a reboot',
      fix: 'Run: connect daemon install',
    }
  },
}

function installedOne({ autostart: when, bootHint }: PlatformStatus): Finding {
  if (when === 'boot') return { state: 'ok', seen: 'On boot' }
  if (when === 'login') return { state: 'ok', seen: 'When you log in' }
  if (when === 'never')
    return { state: 'failed', seen: 'It is installed, but disabled', fix: 'Run: connect daemon install' }
  return {
    state: 'warning',
    seen: 'Whenever its service manager starts, which may not be on boot',
    fix: bootHint ?? 'Have its service manager start on boot',
  }
}
