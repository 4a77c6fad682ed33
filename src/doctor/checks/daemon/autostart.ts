import { isUnused } from '../../../tasks/machine/is-unused.ts'
import type { Check, Finding } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

export const autostart: Check<DoctorContext> = {
  name: 'autostart',
  group: 'daemon',
  title: 'Starts by itself',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const { installed, autostart: when, state } = await context.daemon()
    if (installed) return installedOne(when)
    if (state !== 'running' && isUnused(context.instance))
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

function installedOne(when: 'boot' | 'login' | 'never'): Finding {
  if (when === 'boot') return { state: 'ok', seen: 'On boot' }
  if (when === 'login') return { state: 'ok', seen: 'When you log in' }
  return { state: 'failed', seen: 'It is installed, but disabled', fix: 'Run: connect daemon install' }
}
