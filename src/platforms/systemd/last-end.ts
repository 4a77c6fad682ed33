import type { SeenEnd } from '../../control/agent-end.ts'
import { signalName } from '../../process/signal-name.ts'
import type { UnitState } from './state.ts'

/** How the unit's last process ended, as systemd has seen it; undefined if it doesn't tell. */
export function lastEndOf({
  exit,
  lastPid,
  endedAtUs,
}: UnitState): (SeenEnd & { readonly pid: number }) | undefined {
  if (!exit || lastPid === 0) return undefined
  const { by, number } = exit
  // Node's high-resolution clock is CLOCK_MONOTONIC.
  const agoMs = endedAtUs === 0 ? 0 : Number(process.hrtime.bigint() / 1000n - BigInt(endedAtUs)) / 1000
  const at = new Date(Date.now() - Math.max(0, agoMs))
  const end = by === 'code' ? { code: number, signal: null } : { code: null, signal: signalName(number) }
  return { pid: lastPid, ...end, at }
}
