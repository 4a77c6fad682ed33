import { homedir } from 'node:os'
import path from 'node:path'
import { ConnectError, messageOf } from '../errors.ts'
import { withDeadline } from '../runtime/deadline.ts'
import { explainOperationalError } from '../runtime/operational-error.ts'
import { printable } from '../text/printable.ts'
import type { Check, Finding } from './check.ts'
import { Unseen } from './unseen.ts'
import { Skipped } from './way/skipped.ts'

/** What came of a check. */
export interface Checked<Context> extends Finding {
  readonly check: Check<Context>
  /** What was done to mend it, if anything was. */
  readonly mended?: string
  /** Why it could not be mended, if that was tried. */
  readonly unmended?: string
}

export interface RunOptions<Context> {
  /** When the last of them has to be through, as performance.now() tells the time. */
  readonly untilMs: number
  readonly onChecked?: (checked: Checked<Context>) => void
}

const TIMEOUT_MS = 5000

/** However late it is, what needs no time gets some. */
const LEAST_MS = 500

/**
 * Looks at everything side by side. It throws for nothing: what a check throws is told, see Check.
 *
 * @returns in the order of the checks
 */
export function runChecks<Context>(
  checks: readonly Check<Context>[],
  context: Context,
  options: RunOptions<Context>,
): Promise<Checked<Context>[]> {
  return Promise.all(
    checks.map(async (check) => {
      const leftMs = Math.max(LEAST_MS, options.untilMs - performance.now())
      const finding = await runCheck(check, context, leftMs)
      const { fix, ...rest } = finding
      const seen = shown(plainly(finding.seen))
      const checked = { ...rest, seen, ...(fix !== undefined && { fix: shown(fix) }), check }
      options.onChecked?.(checked)
      return checked
    }),
  )
}

async function runCheck<Context>(check: Check<Context>, context: Context, leftMs: number): Promise<Finding> {
  const timeoutMs = Math.min(check.timeoutMs ?? TIMEOUT_MS, leftMs)
  const abort = new AbortController()
  const tooLate = () => new Unseen(`No answer within ${seconds(timeoutMs)} s`)
  try {
    return await withDeadline(() => check.run(context, abort.signal), timeoutMs, tooLate)
  } catch (thrown) {
    return findingOf(thrown)
  } finally {
    abort.abort()
  }
}

/** The rule for what a check throws, see Check. */
function findingOf(thrown: unknown): Finding {
  if (thrown instanceof Skipped) return { state: 'skipped', seen: thrown.message }
  if (thrown instanceof Unseen) return unknown(thrown.message, thrown.fix)
  const error = explainOperationalError(thrown)
  if (!(error instanceof ConnectError)) return unknown(`This check itself failed: ${messageOf(error)}`)
  if (error.code === 'SYSTEM_FAILED') return unknown(error.message)
  return { state: 'failed', seen: error.message, fix: error.fix }
}

function unknown(seen: string, fix?: string): Finding {
  return { state: 'unknown', seen, ...(fix !== undefined && { fix }) }
}

/** A header that someone sends may have thousands of characters. */
const MAX_SHOWN = 800

/** What other machines say of themselves is made harmless. */
function shown(text: string): string {
  return printable(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)
}

function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000))
}

/** As people write paths, and what failed on which file only once. */
function plainly(seen: string): string {
  const [, before, why, file] = /^(.*): E[A-Z0-9]+: ([^,]+), \w+ '([^']*)'$/.exec(seen) ?? []
  const short = before?.includes(file!) ? `${before}: ${why}` : seen
  return short.replaceAll(`${homedir()}${path.sep}`, '~/')
}
