import { withDeadline } from '../../runtime/deadline.ts'

/** How many calls of plugins are under way. */
let calls = 0

/** What process.exit is otherwise. */
let exit: PropertyDescriptor | undefined

/**
 * Calls what a plugin brings, and waits for it no longer than this. A plugin that would end the process fails
 * like any other: else the command came to an early end, without a word, and with whatever exit code.
 *
 * @throws what the plugin throws; what `tooLate` makes if it took too long
 */
export async function callPlugin<T>(
  call: () => T | Promise<T>,
  timeoutMs: number,
  tooLate: () => Error,
): Promise<T> {
  if (calls++ === 0) {
    exit = Object.getOwnPropertyDescriptor(process, 'exit')
    process.exit = refuseExit
  }
  try {
    return await withDeadline(call, timeoutMs, tooLate)
  } finally {
    if (--calls === 0) Object.defineProperty(process, 'exit', exit!)
  }
}

function refuseExit(): never {
  throw new Error('it wanted to end the program')
}
