import { isInsecure, type Serving } from '../config/hub/serving.ts'
import { formatTarget } from '../config/target.ts'

/** What whoever runs the hub should know; undefined if nobody can read along. */
export function insecureWarning(serving: Serving): string | undefined {
  if (!isInsecure(serving)) return undefined
  return `[!] The hub speaks plain http on ${formatTarget(serving)}: anyone on the way can read the traffic`
}
