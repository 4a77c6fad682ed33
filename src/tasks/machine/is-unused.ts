import type { AgentInstance } from '../../config/instance.ts'
import { readReaches } from '../../config/reaches.ts'
import { readServices } from '../../config/services.ts'
import { ConnectError } from '../../errors.ts'

/** Whether an agent has nothing to do yet: no service, no reach; a list that can't be read has something. */
export function isUnused(instance: AgentInstance): boolean {
  try {
    return readServices(instance).length === 0 && readReaches(instance).length === 0
  } catch (error) {
    if (error instanceof ConnectError) return false
    throw error
  }
}
