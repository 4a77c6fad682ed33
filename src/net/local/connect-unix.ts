import { stat } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { codeOf } from '../../errors.ts'

/** How soon a listener is tried again whose queue is full, in ms: unlike TCP's, nobody waits for it. */
const AGAIN_MS = 50

/**
 * Connects to a Unix socket.
 *
 * @param path absolute
 * @param options.timeoutMs how long a listener whose queue is full may take to make room
 * @param done gets the socket, or the system's error
 * @returns a function that ends the attempt, after which `done` is not called; false if it was over already
 */
export function connectUnix(
  path: string,
  { timeoutMs, allowHalfOpen = false }: { timeoutMs: number; allowHalfOpen?: boolean },
  done: (error: Error | undefined, socket?: Socket) => void,
): () => boolean {
  let isOver = false
  let socket: Socket | undefined
  let again: NodeJS.Timeout | undefined
  const end = () => {
    isOver = true
    clearTimeout(timer)
    clearTimeout(again)
  }
  const fail = (error: Error) => {
    end()
    socket?.destroy()
    done(error)
  }
  // Linux refuses what is no socket as it does a socket that nobody listens at.
  const refused = (error: Error) =>
    stat(path, (unseen, stats) => {
      if (!isOver) fail(unseen || stats.isSocket() ? error : notASocket(path))
    })
  const timer = setTimeout(() => fail(timedOut(path)), timeoutMs)
  const tryNow = () => {
    const attempt = connect({ path, allowHalfOpen })
    socket = attempt
    const failed = (error: Error) => {
      if (isOver) return
      if (codeOf(error) === 'EAGAIN') again = setTimeout(tryNow, AGAIN_MS)
      else if (codeOf(error) === 'ECONNREFUSED') refused(error)
      else fail(error)
    }
    attempt.on('error', failed)
    attempt.once('connect', () => {
      if (isOver) return
      end()
      attempt.off('error', failed)
      done(undefined, attempt)
    })
  }
  tryNow()
  return () => {
    if (isOver) return false
    end()
    socket?.destroy()
    return true
  }
}

function timedOut(path: string): Error {
  return Object.assign(new Error(`connect ETIMEDOUT ${path}`), { code: 'ETIMEDOUT' })
}

function notASocket(path: string): Error {
  return Object.assign(new Error(`connect ENOTSOCK ${path}`), { code: 'ENOTSOCK' })
}
