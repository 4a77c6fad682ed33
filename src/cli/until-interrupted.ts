import { onEndSignal } from '../runtime/end-signals.ts'

/**
 * Runs work that goes on until someone stops it with Ctrl-C or SIGTERM. The first signal lets it end in good
 * order, a second one ends it at once.
 *
 * @param work must come to its end when the signal says stop
 */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const stopListening = onEndSignal((signal) => stop.abort(signal))
  try {
    await work(stop.signal)
  } finally {
    stopListening()
  }
}
