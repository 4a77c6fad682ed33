import { messageOf } from '../errors.ts'
import { withDeadline } from '../runtime/deadline.ts'
import type { Checked } from './run-checks.ts'

/** What came of mending. */
export type Mended<Context> = Pick<Checked<Context>, 'check' | 'mended' | 'unmended'>

/** A restart of the daemon takes the longest, in ms. */
const TIMEOUT_MS = 60_000

/** One after another: one may need what another has mended. */
export async function mendAll<Context>(mendable: readonly Checked<Context>[]): Promise<Mended<Context>[]> {
  const all: Mended<Context>[] = []
  for (const { check, mend } of mendable) {
    if (!mend) continue
    try {
      const tooLate = () => new Error(`it took more than ${TIMEOUT_MS / 1000} s`)
      all.push({ check, mended: await withDeadline(mend, TIMEOUT_MS, tooLate) })
    } catch (error) {
      all.push({ check, unmended: messageOf(error) })
    }
  }
  return all
}
