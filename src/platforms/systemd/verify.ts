import { ConnectError } from '../../errors.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import type { Started, StartOptions } from '../platform.ts'
import type { UnitControl } from './manager/control.ts'
import type { UnitNames } from './manager/names.ts'
import { describeEnd, type UnitState } from './manager/state.ts'

/** How long the manager may take to have a process, beyond the time that it must be stable; in ms. */
const SLACK_MS = 5000

/**
 * Looks whether a unit that was just started has a process which stays: Type=simple calls it started before
 * its program is even found.
 *
 * @returns undefined if the unit has no such process, or that has ended
 */
export async function watch(
  control: UnitControl,
  { isReady, stableMs }: StartOptions,
): Promise<Started | undefined> {
  let pid = 0
  let since = performance.now()
  const outcome = await waitFor(
    async (): Promise<Started | 'failed' | undefined> => {
      const state = await control.readState()
      if (!state) return undefined
      if (hasFailed(state)) return 'failed'
      if (state.active !== 'active' || state.pid === 0) return undefined
      if (state.pid !== pid) [pid, since] = [state.pid, performance.now()]
      if (await isReady(pid)) return { pid, ready: true }
      return performance.now() - since >= stableMs ? { pid, ready: false } : undefined
    },
    { timeoutMs: stableMs + SLACK_MS, everyMs: 100 },
  )
  return typeof outcome === 'object' ? outcome : undefined
}

/**
 * Tells by what was watched whether the unit runs.
 *
 * @throws ConnectError DAEMON_FAILED, SERVICE_MANAGER_FAILED
 */
export async function verify(
  control: UnitControl,
  { words }: UnitNames,
  watched: Started | undefined,
): Promise<Started> {
  if (watched) return watched
  const state = await control.requireState()
  throw new ConnectError('DAEMON_FAILED', `${words.subject} failed to start: ${describeEnd(state)}`)
}

function hasFailed({ active, sub }: UnitState): boolean {
  return active === 'failed' || (active === 'activating' && sub === 'auto-restart')
}
