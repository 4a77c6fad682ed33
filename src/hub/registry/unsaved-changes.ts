import { LANES, type SaveQueue, type Write } from '../store/save-queue.ts'
import type { StoreCalls } from '../store/store-thread.ts'
import type { Agent } from '../store/store.ts'
import { SAVED, Unsaved, type Saved } from './unsaved.ts'

/**
 * The changes that are in effect, and not yet in the database: agents that were removed or revoked, and join
 * tokens that were revoked. Saving one is tried again until it is done. A hub that ends before loses it: how
 * many are lost the queue says when it is closed.
 */
export class UnsavedChanges {
  readonly #queue: SaveQueue
  readonly #store: StoreCalls
  readonly #removedAgents = new Map<string, Unsaved>()
  readonly #revokedAgents = new Map<string, Unsaved>()
  readonly #revokedTokens = new Map<string, Unsaved>()

  constructor(queue: SaveQueue, store: StoreCalls) {
    this.#queue = queue
    this.#store = store
  }

  /** The join tokens that are revoked, though the database has them as they were. */
  get revokedTokens(): string[] {
    return [...this.#revokedTokens.keys()]
  }

  isRemoved(agent: string): boolean {
    return this.#removedAgents.has(agent)
  }

  /** @param wasRevoked which may not be saved yet, either */
  removeAgent(id: string, wasRevoked: boolean): Promise<Saved> {
    const save = () => this.#store.call('removeAgent', id, wasRevoked)
    return this.#add(this.#removedAgents, id, LANES.membership, save).attempt()
  }

  revokeAgent(id: string): Promise<Saved> {
    const save = () => this.#store.call('revokeAgent', id)
    return this.#add(this.#revokedAgents, id, LANES.revocation, save).attempt()
  }

  /** @returns undefined if there is no such token */
  async revokeToken(id: string): Promise<Saved | undefined> {
    const save = () => this.#store.call('revokeToken', id)
    const change = this.#revokedTokens.get(id) ?? this.#add(this.#revokedTokens, id, LANES.revocation, save)
    const saved = await change.attempt()
    return change.wasFound === false ? undefined : saved
  }

  /** Tries once more to save that an agent was removed. */
  retryRemoval(id: string): Promise<Saved> {
    return this.#removedAgents.get(id)?.attempt() ?? Promise.resolve(SAVED)
  }

  /** Tries once more to save that an agent was revoked. */
  retryRevocation(id: string): Promise<Saved> {
    return this.#revokedAgents.get(id)?.attempt() ?? Promise.resolve(SAVED)
  }

  /** The agent has joined anew, and the removal of what it was before was saved with that. */
  joined(agent: string): void {
    const removal = this.#removedAgents.get(agent)
    this.#removedAgents.delete(agent)
    removal?.drop()
  }

  /**
   * Who is there, once another process has changed the database: without those whose removal isn't saved,
   * and revoked as before, whatever became of the file, which may be an older one, put back.
   */
  appliedTo(stored: readonly Agent[], before: ReadonlyMap<string, Agent>): Map<string, Agent> {
    const wasRevoked = (id: string) => before.get(id)?.revoked === true
    const revoked = [...before.values()].filter((agent) => agent.revoked)
    const present = stored
      .filter(({ id }) => !this.isRemoved(id))
      .map((agent) => (wasRevoked(agent.id) ? { ...agent, revoked: true } : agent))
    return new Map([...revoked, ...present].map((agent) => [agent.id, agent]))
  }

  /** Saves again what an older database lacks: else a hub that starts on it would let them in. */
  revokeAgain(stored: readonly Agent[], before: ReadonlyMap<string, Agent>): void {
    for (const { id, revoked } of stored)
      if (!revoked && before.get(id)?.revoked && !this.#revokedAgents.has(id)) void this.revokeAgent(id)
  }

  #add(
    unsaved: Map<string, Unsaved>,
    id: string,
    lane: Write['lane'],
    save: () => Promise<boolean>,
  ): Unsaved {
    const change = new Unsaved(this.#queue, lane, async () => {
      const wasFound = await save()
      unsaved.delete(id)
      return wasFound
    })
    unsaved.set(id, change)
    return change
  }
}
