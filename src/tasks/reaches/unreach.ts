import { ensureInstanceFolder, requireConfig } from '../../config/config.ts'
import type { AgentInstance } from '../../config/instance.ts'
import { readReaches, writeReaches } from '../../config/reaches.ts'
import { takeBackReach } from '../../control/client.ts'
import type { UnreachReply, TakeBackRequest } from '../../control/schema.ts'
import { throughAgentOrFile } from '../locks/through-agent.ts'

/**
 * Takes a kept reach back, and ends the connections through it.
 *
 * @param wish.drain leave those that are open until they end by themselves
 * @throws ConnectError NOT_CONFIGURED, REACHES_DAMAGED, AGENT_BUSY, WRITE_FAILED
 */
export async function unreach(
  instance: AgentInstance,
  name: string,
  wish: TakeBackRequest,
): Promise<UnreachReply> {
  requireConfig(instance)
  ensureInstanceFolder(instance)
  return throughAgentOrFile<UnreachReply>(
    instance,
    () => takeBackReach(instance, name, wish),
    () => {
      const reaches = readReaches(instance)
      const left = reaches.filter((reach) => reach.name !== name)
      if (left.length < reaches.length) writeReaches(instance, left)
      return { removed: left.length < reaches.length, ended: 0, connections: 0 }
    },
  )
}
