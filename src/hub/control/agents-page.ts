import type { Agent } from '../store/store.ts'
import { AGENTS_A_PAGE, type AgentsReply } from './schema.ts'

/** What is known of a machine’s links. */
export interface Presence {
  isOnline(id: string): boolean
  /** In ms since 1970; undefined if that isn't known. */
  lastSeen(id: string): number | undefined
}

/**
 * Some of a hub's machines, by their ids: a page goes on where the one before ended, whoever has joined or
 * left meanwhile.
 *
 * @param after those behind this id; without it from the first one on
 */
export function agentsPage(
  agents: Iterable<Agent>,
  after: string | undefined,
  presence: Presence,
): AgentsReply {
  const behind = [...agents].filter(({ id }) => after === undefined || id > after)
  const page = behind.toSorted((one, other) => (one.id < other.id ? -1 : 1)).slice(0, AGENTS_A_PAGE)
  return {
    agents: page.map(({ id, label, joinedAt, revoked }) => ({
      id,
      label,
      joinedAt: new Date(joinedAt).toISOString(),
      revoked,
      online: presence.isOnline(id),
      lastSeen: seenOf(presence.isOnline(id) ? Date.now() : presence.lastSeen(id)),
    })),
    more: behind.length > page.length,
  }
}

function seenOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
