import { inspect } from 'node:util'
import { ConnectError } from '../errors.ts'
import { explainOperationalError } from '../runtime/operational-error.ts'
import { printable, printableLines } from '../text/printable.ts'

/**
 * Ends with a sentence where not even the command itself could be begun; with a trace only for a bug.
 */
export function failAtStart(thrown: unknown): void {
  const error = explainOperationalError(thrown)
  const lines =
    error instanceof ConnectError
      ? [error.message, ...error.hints].map(printable)
      : [printableLines(inspect(error))]
  process.stderr.write(`[x] ${lines.join('\n  ')}\n`)
  process.exitCode = error instanceof ConnectError && error.code === 'SECRET_TYPED' ? 2 : 1
}
