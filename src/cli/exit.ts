import { hasAbandonedWork } from '../runtime/deadline.ts'

// A plugin that is called meanwhile has process.exit taken away from it, see callPlugin().
const exit = process.exit.bind(process)

/**
 * Ends the process if a plugin's work that nobody waits for any more would keep it alive: a child
 * that hangs, say.
 */
export async function exitIfHung(): Promise<void> {
  if (!hasAbandonedWork()) return
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()))
  }
  exit()
}

/** Ends the process with all that it still waits for. */
export function exitNow(): never {
  return exit()
}
