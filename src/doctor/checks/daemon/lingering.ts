import { ConnectError } from '../../../errors.ts'
import { enableLingering } from '../../../platforms/systemd/install-receipt.ts'
import { LINGER_COMMAND, readLingering } from '../../../platforms/systemd/manager/lingering.ts'
import { UserManager } from '../../../platforms/systemd/manager/systemctl.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** Without it systemd starts a user's services at the first login, and stops them at the last logout. */
export const lingering: Check<DoctorContext> = {
  name: 'lingering',
  group: 'daemon',
  title: 'Outlives the login',
  timeoutMs: 9000,
  async run({ choosing, instance, env, home }) {
    const { description } = await choosing
    if (description.name !== 'systemd' || !(await description.isInstalled({ instance, env })))
      return { state: 'skipped', seen: 'It is no service of systemd' }
    const manager = new UserManager(env)
    const found = await readLingering(manager)
    if (found === 'on') return { state: 'ok', seen: 'Lingering is on' }
    if (found === 'unknown')
      return { state: 'unknown', seen: 'loginctl does not say whether lingering is on', fix: LINGER_COMMAND }
    return {
      state: 'warning',
      seen: 'Lingering is off: it stops when you log out, and does not start on boot',
      fix: `Run: ${LINGER_COMMAND}`,
      async mend() {
        const why = await enableLingering(manager, home)
        if (why !== undefined) throw new ConnectError('SERVICE_MANAGER_FAILED', why)
        return 'lingering was turned on'
      },
    }
  },
}
