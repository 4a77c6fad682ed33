import type { Agent } from '../store/store.ts'
import { AGENTS_A_PAGE, type AgentsReply } from './schema.ts'

/**
 * Some of a hub's machines, by their ids: a page goes on where the one before ended, whoever has joined or
 * left meanwhile.
 *
 * @param after those behind this id; without it from the first one on
 */
export function agentsPage(
  agents: Iterable<Agent>,
  after: string | undefined,
  isOnline: (id: string) => boolean,
): AgentsReply {
  const behind = [...agents].filter(({ id }) => after === undefined || id > after)
  const page = behind.toSorted((one, other) => (one.id < other.id ? -1 : 1)).slice(0, AGENTS_A_PAGE)
  return {
    agents: page.map(({ id, label, joinedAt, revoked }) => ({
      id,
      label,
      joinedAt: new Date(joinedAt).toISOString(),
      revoked,
      online: isOnline(id),
    })),
    more: behind.length > page.length,
  }
}
