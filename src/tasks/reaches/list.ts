import type { AgentInstance } from '../../config/instance.ts'
import { askAgent } from '../../control/ask-agent.ts'
import { findProcess } from '../../control/find-process.ts'
import { shownReaches, type ShownReach } from './shown-reach.ts'

/** What is kept, and how it stands. @throws ConnectError REACHES_DAMAGED, CONFIG_UNREADABLE, CONFIG_NEWER */
export async function listReaches(instance: AgentInstance): Promise<ShownReach[]> {
  const { state } = await findProcess(instance)
  const mayRun = state === 'running' || state === 'unknown'
  return shownReaches(instance, mayRun ? await askAgent(instance) : undefined)
}
