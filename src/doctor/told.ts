import { ConnectError, ERRORS } from '../errors.ts'
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
  return { ...rest, seen: shown(seen), ...(fix !== undefined && { fix: shown(fix) }) }
}

/** A header that someone sends may have thousands of characters. */
const MAX_SHOWN = 800

function shown(text: string): string {
  return printable(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)
}

function failureOf(thrown: unknown): Finding {
  if (thrown instanceof Skipped) return { state: 'skipped', seen: thrown.message }
  if (!(thrown instanceof ConnectError)) throw thrown
  return { state: 'failed', seen: thrown.message, fix: thrown.hints[0] ?? ERRORS[thrown.code].fix }
}
