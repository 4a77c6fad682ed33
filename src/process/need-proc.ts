import { existsSync } from 'node:fs'
import { ConnectError } from '../errors.ts'

/**
 * For Linux, where nothing but proc(5) tells which process is which: without it another program might be
 * taken for the agent, and be signalled.
 *
 * @throws ConnectError NO_PROC if it is not there
 */
export function needProc(): void {
  if (process.platform !== 'linux' || existsSync('/proc/self/stat')) return
  throw new ConnectError('NO_PROC', 'There is no /proc here, by which processes are told apart')
}
