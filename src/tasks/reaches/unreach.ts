import { ensureInstanceFolder, requireConfig } from '../../config/config.ts'
import type { Instance } from '../../config/instance.ts'
import { readReaches, writeReaches } from '../../config/reaches.ts'
import { unreach as askUnreach } from '../../control/client.ts'
import type { UnreachReply, UnreachRequest } from '../../control/schema.ts'
import { throughAgentOrFile } from '../locks/through-agent.ts'

/**
 * Takes a kept reach back.
 *
 * @throws ConnectError NOT_CONFIGURED, REACHES_DAMAGED, AGENT_BUSY, WRITE_FAILED
 */
export async function unreach(instance: Instance, name: string, how: UnreachRequest): Promise<UnreachReply> {
  requireConfig(instance)
  ensureInstanceFolder(instance)
  return throughAgentOrFile<UnreachReply>(
    instance,
    () => askUnreach(instance, name, how),
    () => {
      const reaches = readReaches(instance)
      const left = reaches.filter((reach) => reach.name !== name)
      if (left.length < reaches.length) writeReaches(instance, left)
      return { removed: left.length < reaches.length, ended: 0, connections: 0 }
    },
  )
}
