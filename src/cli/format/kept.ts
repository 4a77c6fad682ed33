import { localAddressOf } from '../../config/reaches.ts'
import type { Keeping } from '../../tasks/reaches/keep.ts'
import { notHeld, openToOthers } from './reaches.ts'

/**
 * The lines of a reach that is kept now: results, and what is to be known of it besides.
 *
 * @param hasAsked whether the hub has said that there is such a service
 */
export function formatKept(
  { outcome, reach, because, hasAgent }: Keeping,
  hasAsked: boolean,
): { results: string[]; warnings: string[] } {
  const where = `${reach.name} is kept at ${localAddressOf(reach)}`
  const done = {
    kept: where,
    moved: `${where} now`,
    accepted: `${where}, for the machine that serves it now`,
    unchanged: `${where} already`,
  }[outcome]
  const result = outcome !== 'unchanged' && hasAgent ? `[ok] ${done}` : done
  const blocked = reach.held ? undefined : `That port is not held now: ${notHeld(reach)}`
  const warnings = [
    hasAgent ? blocked : 'No agent is running here, so nobody holds that port yet',
    openToOthers(reach),
  ]
  const why = because === null ? undefined : `  ${because}, so it is ${reach.port}`
  const unasked =
    outcome === 'kept' && !hasAsked
      ? `  The hub was not asked whether there is a service ${reach.name}; to see: connect services`
      : undefined
  return {
    results: [result, why, unasked].filter((line) => line !== undefined),
    warnings: warnings.filter((line) => line !== undefined),
  }
}
