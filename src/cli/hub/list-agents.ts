import { hubInstance } from '../../config/hub/hub-instance.ts'
import { isSilence } from '../../control/ask-process.ts'
import { hubAgents } from '../../hub/control/client.ts'
import type { HubAgent } from '../../hub/control/schema.ts'
import { withStore } from './with-store.ts'

/** A machine that has joined; `online` is null if a hub runs that doesn’t say. */
export type ListedAgent = Omit<HubAgent, 'online'> & { readonly online: boolean | null }

/**
 * The machines that have joined, in that order: by the word of the hub that runs, else from its database.
 *
 * @throws ConnectError HUB_DATA_MISSING, HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function listAgents(folder: string): Promise<ListedAgent[]> {
  const told = await hubAgents(hubInstance({ dataDir: folder })).catch(nullIfSilent)
  const agents = told ?? (await storedAgents(folder, told === null ? null : false))
  return agents.toSorted((one, other) => Date.parse(one.joinedAt) - Date.parse(other.joinedAt))
}

function nullIfSilent(error: unknown): null {
  if (!isSilence(error)) throw error
  return null
}

async function storedAgents(folder: string, online: false | null): Promise<ListedAgent[]> {
  const stored = await withStore(folder, (store) => store.agents())
  return stored.map(({ id, label, joinedAt, revoked, lastSeen }) => ({
    id,
    label,
    joinedAt: new Date(joinedAt).toISOString(),
    revoked,
    online,
    lastSeen: lastSeen === undefined ? null : new Date(lastSeen).toISOString(),
  }))
}
