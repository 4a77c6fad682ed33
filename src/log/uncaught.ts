import { messageOf } from '../errors.ts'
import { isOperationalError } from '../runtime/operational-error.ts'
import { LineLimiter } from './line-limiter.ts'
import type { Log } from './log.ts'

/**
 * What becomes of an error that nobody caught in a data command: an operational error is told and goes by, a
 * bug ends the process. Node.js's own warnings are told in the same place: Node.js would wait for a terminal
 * that nobody reads.
 *
 * @param crashed gets the bug, once its trace is in the log; must end the process
 * @returns undoes it
 */
export function handleUncaught(log: Log, crashed: (error: unknown) => void): () => void {
  const limiter = new LineLimiter()
  const uncaught = (error: unknown) => {
    if (!isOperationalError(error)) {
      logBug(log, error)
      return crashed(error)
    }
    const text = messageOf(error)
    limiter.write(
      text,
      (line) => log(line, 'warn'),
      () => `[!] ${text}`,
    )
  }
  const warned = (warning: Error) => log(`[!] ${warning.name}: ${warning.message}`, 'warn')
  const nodes = process.listeners('warning')
  process.on('uncaughtException', uncaught)
  process.removeAllListeners('warning').on('warning', warned)
  return () => {
    process.off('uncaughtException', uncaught)
    process.off('warning', warned)
    for (const listener of nodes) process.on('warning', listener)
  }
}

/** With its trace, for whoever fixes it. */
export function logBug(log: Log, error: unknown): void {
  log(`[x] Unexpected error: ${messageOf(error)}`, 'error')
  const trace = error instanceof Error ? (error.stack?.split('\n') ?? []) : []
  for (const line of trace) log(`  ${line}`, 'error')
}
