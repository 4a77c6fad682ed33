import { ConnectError } from '../../../errors.ts'
import type { Check } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

/** Without it systemd starts a user's services at the first login, and stops them at the last logout. */
export const lingering: Check<DoctorContext> = {
  name: 'lingering',
  group: 'daemon',
  title: 'Outlives the login',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const { instance, env } = context
    const { description, platform } = await context.chosen()
    const setting = platform.lingering
    if (!setting || !(await description.isInstalled({ instance, env })))
      return { state: 'skipped', seen: 'It is no service of systemd' }
    const { command } = setting
    const found = await setting.read()
    if (found === 'on') return { state: 'ok', seen: 'Lingering is on' }
    if (found === 'unknown')
      return { state: 'unknown', seen: 'loginctl does not say whether lingering is on', fix: command }
    return {
      state: 'warning',
      seen: 'Lingering is off: it stops when you log out, and does not start on boot',
      fix: `Run: ${command}`,
      async mend() {
        const why = await setting.enable()
        if (why !== undefined) throw new ConnectError('SERVICE_MANAGER_FAILED', why)
        return 'lingering was turned on'
      },
    }
  },
}
