import type { Termination } from '../../process/terminate.ts'
import type { Action, Skipped } from '../platform.ts'
import { removePidFile } from '../remove-pid-file.ts'
import type { Installation } from './installation.ts'
import type { UnitState } from './state.ts'
import { isUp } from './unit-control.ts'

/** Has systemd stop the unit, which sends SIGTERM, and SIGKILL 5 s later: TimeoutStopSec of the unit. */
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
          // Without an answer it is not known to be down.
          before = (await manager.isThere()) ? await control.requireState() : undefined
          return ifUp(() => control.askToStop())()
        },
      },
      {
        title: 'Wait for its result (clean, or killed after 5 s)',
        waitMs: 5000,
        run: ifUp(async () => void (down = await control.waitUntilDown())),
      },
      {
        title: 'Verify that it is gone',
        run: ifUp(async () => {
          if (!down) throw control.wontStop()
          termination = down.result === 'timeout' ? 'killed' : 'exited'
          // That it was asked to end is no failure.
          if (termination === 'killed') await control.forgetFailure()
        }),
      },
      removePidFile(instance, () => ({ pid: before?.pid, termination })),
    ],
    result: () => termination,
  }
}
