import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/**
 * Waits for a sign of life, SIGCONT, for $0 seconds at a time; when none comes, $@ takes its place. No other
 * signal does no harm to a shell that is not ready for it yet. `wait` says more than 128 after a signal.
 * SIGKILL, since a `sleep` that is still a copy of the shell takes any other signal for the shell's.
 */
const WAIT_FOR_SIGNS = `trap : CONT
trap 'kill -KILL $!; wait; exit' TERM
while sleep "$0" & wait $!; [ $? -gt 128 ]; do kill -KILL $!; done
exec "$@"`

export interface AliveWatch {
  /** Gives the sign of life. */
  showLife(): void
  /** Ends the child, whatever it is by now. */
  stop(): Promise<void>
}

/**
 * Starts a child that becomes another program once it has had no sign of life from this process for a while.
 * What that program prints first is a question, which this process answers by SIGTERM if
 * it can. Neither keeps this process alive.
 *
 * A shell waits, since it takes a thirtieth of the memory that a thread of Node.js takes.
 *
 * @param options.env all that the program gets, besides PATH and TZ
 * @param options.onEnd the child has ended, or could not be started
 */
export function spawnUnlessAlive(
  command: readonly [string, ...string[]],
  options: { waitMs: number; env: NodeJS.ProcessEnv; onEnd: (error: Error) => void },
): AliveWatch {
  const { PATH, TZ } = process.env
  const child = spawn('/bin/sh', ['-c', WAIT_FOR_SIGNS, String(options.waitMs / 1000), ...command], {
    env: { PATH, TZ, ...options.env },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const end = (error: Error) => {
    resolve()
    options.onEnd(error)
  }
  child.once('error', end)
  child.once('exit', (code, signal) => end(new Error(`it has ended (${signal ?? code})`)))
  child.stdout.once('data', () => child.kill())
  child.unref()
  ;(child.stdout as Socket).unref()
  return {
    showLife: () => void child.kill('SIGCONT'),
    stop() {
      child.ref()
      child.kill()
      return ended
    },
  }
}
