import { hubInstance, type HubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { givenPath } from '../../files/given-path.ts'
import { hubAgents, hubTokens } from '../../hub/control/client.ts'
import { ANSWER_MS, quietly } from './quietly.ts'
import type { Candidate } from './shells/reply.ts'
import { untilde } from './untilde.ts'

/**
 * The machines that have joined, by the word of the hub that runs.
 *
 * @param dataDir without it that of the hub that is kept
 * @param which all, or those that are not revoked
 */
export async function agentsOf(dataDir: string | undefined, which: 'all' | 'members'): Promise<Candidate[]> {
  const agents = await quietly(() => hubAgents(hubAt(dataDir), ANSWER_MS))
  return (agents ?? [])
    .filter(({ id, revoked }) => isId(id) && (which === 'all' || !revoked))
    .map(({ id, label, revoked }) => ({ value: id, about: revoked ? `${label}, revoked` : label }))
}

/** The join tokens that are valid: their ids. */
export async function tokensOf(dataDir: string | undefined): Promise<Candidate[]> {
  const tokens = await quietly(() => hubTokens(hubAt(dataDir), ANSWER_MS))
  return (tokens ?? [])
    .filter(({ id }) => isId(id))
    .map(({ id, usesLeft, expiresAt }) => ({ value: id, about: `${usesLeft} left, until ${expiresAt}` }))
}

/** What may be no option. */
function isId(text: string): boolean {
  return /^\w+$/.test(text)
}

function hubAt(dataDir: string | undefined): HubInstance {
  return hubInstance(dataDir === undefined ? readHubSettings() : { dataDir: givenPath(untilde(dataDir)) })
}
