import type { Socket } from 'node:net'
import type { Target } from '../config/target.ts'
import { connectTcp } from '../net/connect-tcp.ts'
import { connectUnix } from '../net/local/connect-unix.ts'
import { pinFile, type PinnedFile } from '../net/local/pin-file.ts'
import type { NameResolver } from '../net/name-resolver.ts'
import type { LoopGuard } from './loop-guard.ts'

export interface DialOptions {
  readonly names: NameResolver
  /** How long the target may take to answer, the lookup of its name included, in ms. */
  readonly timeoutMs: number
  /** What must not be dialled. */
  readonly guard?: Pick<LoopGuard, 'choose' | 'checkSocket'> | undefined
}

/**
 * Connects to a target, by TCP or to its Unix socket, so that each direction can be ended by itself.
 *
 * @param done gets the socket, or the error: the guard's LoopError, the resolver's, or the system's
 * @returns a function that ends the attempt, after which `done` is not called; false if it was over already
 */
export function dialTarget(
  target: Target,
  { names, timeoutMs, guard }: DialOptions,
  done: (error: Error | undefined, socket?: Socket) => void,
): () => boolean {
  const options = { timeoutMs, allowHalfOpen: true }
  if (!('path' in target)) {
    const { port } = target
    return connectTcp(
      target,
      { ...options, names, ...(guard && { choose: (found) => guard.choose(found, port) }) },
      done,
    )
  }
  // Whoever may change the path must not do so between the check and the connection.
  let pinned: PinnedFile | undefined
  try {
    pinned = pinFile(target.path)
    guard?.checkSocket(pinned.path)
  } catch (error) {
    pinned?.release()
    done(error as Error)
    return () => false
  }
  const cancel = connectUnix(pinned.path, options, (error, socket) => {
    pinned.release()
    done(error, socket)
  })
  return () => {
    const isCancelled = cancel()
    if (isCancelled) pinned.release()
    return isCancelled
  }
}
