import type { Instance } from '../../config/instance.ts'
import { noteExit } from '../../control/started-agent.ts'
import { signalName } from '../../process/signal-name.ts'
import type { UnitState } from './unit-state.ts'

/** Keeps how the unit's last process ended, unless it has said so itself: once the next one runs, systemd has forgotten. */
export async function noteEnd(instance: Instance, { exit, lastPid, endedAtUs }: UnitState): Promise<void> {
  if (!exit || lastPid === 0) return
  const { by, number } = exit
  // Node's high-resolution clock is CLOCK_MONOTONIC.
  const agoMs = endedAtUs === 0 ? 0 : Number(process.hrtime.bigint() / 1000n - BigInt(endedAtUs)) / 1000
  const at = new Date(Date.now() - Math.max(0, agoMs))
  const end = by === 'code' ? { code: number, signal: null } : { code: null, signal: signalName(number) }
  await noteExit(instance, lastPid, end, at)
}
