import { ConnectError } from '../errors.ts'
import { printable } from '../text/printable.ts'
import type { Finding } from './check.ts'
import { Skipped } from './way/skipped.ts'

/**
 * What a look has seen, or has thrown: `Skipped` is skipped, an error that is meant for the user is failed.
 * What other machines say of themselves is made harmless.
 *
 * @throws what is a bug, or the machine's refusal
 */
export async function told(look: () => Promise<Finding>): Promise<Finding> {
  const { seen, fix, ...rest } = await look().catch(failureOf)
  return { ...rest, seen: printable(seen), ...(fix !== undefined && { fix: printable(fix) }) }
}

function failureOf(thrown: unknown): Finding {
  if (thrown instanceof Skipped) return { state: 'skipped', seen: thrown.message }
  if (!(thrown instanceof ConnectError)) throw thrown
  return { state: 'failed', seen: thrown.message, fix: thrown.hints[0]! }
}
