import type { HubInstance } from '../../config/hub/hub-instance.ts'
import { askStatus, type Answer } from '../../control/ask-process.ts'
import { hubStatus } from '../../hub/control/client.ts'
import type { HubStatus } from '../../hub/control/schema.ts'

/** What a running hub says of itself. */
export type HubAnswer = Answer<HubStatus>

/** Asks the hub how it is, see askStatus. */
export function askHub(instance: HubInstance): Promise<HubAnswer> {
  return askStatus(instance, () => hubStatus(instance))
}
