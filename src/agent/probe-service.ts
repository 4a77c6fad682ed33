import { Neighbours } from '../control/presence.ts'
import { probeTarget, type TargetProbe } from '../net/probe-target.ts'
import { withoutLoops } from './loop-guard.ts'

/** Whether something answers at a target, as far as an agent of this hub would dial it. */
export function probeService(target: { host: string; port: number }, hubId: string): Promise<TargetProbe> {
  const neighbours = new Neighbours()
  return probeTarget(target, {
    choose: (found) => withoutLoops(found, { port: target.port, hubId }, neighbours).addresses,
  })
}
