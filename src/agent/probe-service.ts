import type { Target } from '../config/target.ts'
import { Neighbours } from '../control/presence/neighbours.ts'
import { askedNames } from '../net/name-resolver.ts'
import { describeNetworkError } from '../net/network-error.ts'
import type { TargetProbe } from '../net/probe-target.ts'
import { dialTarget } from './dial-target.ts'
import { checkSocket, withoutLoops } from './loop-guard.ts'

const TIMEOUT_MS = 2000

/** Whether something answers at a target, as far as an agent of this hub would dial it. */
export function probeService(target: Target, hubId: string): Promise<TargetProbe> {
  const neighbours = new Neighbours()
  const guard: Parameters<typeof dialTarget>[1]['guard'] = {
    choose: (found, port) => withoutLoops(found, { port, hubId }, neighbours).addresses,
    checkSocket: (path) => checkSocket(path, neighbours),
  }
  const { promise, resolve } = Promise.withResolvers<TargetProbe>()
  dialTarget(target, { names: askedNames, timeoutMs: TIMEOUT_MS, guard }, (error, socket) => {
    socket?.destroy()
    resolve(error ? { isListening: false, why: describeNetworkError(error) } : { isListening: true })
  })
  return promise
}
