import { ConnectError } from '../../errors.ts'
import { GRACE_PERIOD_MS, GRACE_PERIOD_S } from '../../process/grace-period.ts'
import type { Termination } from '../../process/terminate.ts'
import { tilde } from '../../text/tilde.ts'
import type { Action, Skipped } from '../platform.ts'
import { removePidFile } from '../remove-pid-file.ts'
import type { Installation } from './installation.ts'
import { isUp } from './manager/control.ts'
import type { UnitState } from './manager/state.ts'

/** Has systemd stop the unit: it sends SIGTERM, and SIGKILL after the unit's TimeoutStopSec. */
export function stopUnit({ instance, manager, control }: Installation): Action<Termination | undefined> {
  let before: UnitState | undefined
  let down: UnitState | undefined
  let termination: Termination | undefined
  const ifUp = (run: () => Promise<void>) => async (): Promise<Skipped | void> =>
    before && isUp(before) ? run() : { skipped: 'systemd does not run it' }
  return {
    steps: [
      {
        title: 'Ask systemd to stop',
        async run() {
          // Without an answer the unit is not known to be down.
          before = (await manager.isThere()) ? await control.requireState() : undefined
          return ifUp(() => control.askToStop())()
        },
      },
      {
        title: `Wait for its result (clean, or killed after ${GRACE_PERIOD_S} s)`,
        waitMs: GRACE_PERIOD_MS,
        run: ifUp(async () => void (down = await control.waitUntilDown())),
      },
      {
        title: 'Verify that it is gone',
        run: ifUp(async () => {
          if (!down) throw control.wontStop()
          termination = down.result === 'timeout' ? 'killed' : 'exited'
          // A unit that was killed counts as failed, and was only asked to stop.
          if (termination === 'killed') await control.forgetFailure()
        }),
      },
      removePidFile(instance, () => ({ pid: before?.pid, termination })),
    ],
    result: () => termination,
  }
}

/**
 * Stops the service, and removes its unit: the file only once it is down, or nothing could stop it.
 *
 * @returns what could not be undone, or is the user's own
 * @throws ConnectError DAEMON_WONT_STOP, SERVICE_MANAGER_FAILED, WRITE_FAILED
 */
export async function removeUnit(installation: Installation): Promise<string[]> {
  const { names, file, manager, control } = installation
  const hasManager = await manager.isThere()
  const warnings: string[] = []
  if (hasManager) await control.disable()
  else warnings.push('Your user manager does not run: only the files were removed')
  file.disable()
  file.remove()
  if (hasManager) {
    await manager.systemctl('daemon-reload')
    await control.forgetFailure()
    const after = await control.readState()
    if (!after || isUp(after)) {
      const message = `systemd still knows ${names.name} although its file is gone`
      throw new ConnectError('SERVICE_MANAGER_FAILED', message)
    }
  }
  const { dropIns } = file
  if (dropIns !== undefined) warnings.push(`Settings of your own for it are still there: ${tilde(dropIns)}`)
  return warnings
}
