import { askTarget, type Answer } from '../net/ask-target.ts'
import { Neighbours } from '../process/presence.ts'
import { withoutLoops } from './loop-guard.ts'

/** Whether something answers at a target, as far as an agent of this hub would dial it. */
export function askService(target: { host: string; port: number }, hubId: string): Promise<Answer> {
  const neighbours = new Neighbours()
  return askTarget(target, {
    choose: (found) => withoutLoops(found, { port: target.port, hubId }, neighbours).addresses,
  })
}
