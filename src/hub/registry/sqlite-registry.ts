import { ConnectError, messageOf } from '../../errors.ts'
import type { JoinToken } from '../store/join-token.ts'
import { LANES, SaveQueue } from '../store/save-queue.ts'
import type { StoreError } from '../store/store-error.ts'
import { StoreThread, type StoreCalls, type StoreEvents } from '../store/store-thread.ts'
import type { Mark } from '../store/schema.ts'
import {
  Store,
  type Agent,
  type ClaimedService,
  type JoinTry,
  type MadeToken,
  type Snapshot,
  type TokenOptions,
} from '../store/store.ts'
import { AgentSettings } from './agent-settings.ts'
import { LastSeen } from './last-seen.ts'
import type { RefusedName, Registry, RegistryEvents } from './registry.ts'
import { isSameNames, missingFrom, ServiceNames } from './service-names.ts'
import type { Saved } from './unsaved.ts'
import { UnsavedChanges } from './unsaved-changes.ts'

/** The registry over one SQLite file. What is in memory is the truth; the file holds it over a restart. */
export class SqliteRegistry implements Registry {
  readonly hubId: string
  readonly #events: RegistryEvents
  readonly #store: StoreCalls
  readonly #queue: SaveQueue
  readonly #names: ServiceNames
  readonly #settings: AgentSettings
  readonly #lastSeen: LastSeen
  readonly #unsavedChanges: UnsavedChanges
  #agents: Map<string, Agent>
  /** The agents that join right now, and the promises to wait for before anything else is done with them. */
  readonly #joining = new Map<string, Promise<unknown>>()

  private constructor(
    snapshot: Snapshot,
    events: RegistryEvents,
    openStore: (events: StoreEvents) => StoreCalls,
  ) {
    const damaged = (error: StoreError) =>
      events.failed(
        new ConnectError('HUB_DATA_DAMAGED', `The hub’s database is damaged: ${messageOf(error)}`, {
          cause: error,
        }),
      )
    this.hubId = snapshot.hubId
    this.#events = events
    this.#agents = new Map(snapshot.agents.map((agent) => [agent.id, agent]))
    this.#names = new ServiceNames(snapshot.services)
    const log = (line: string) => events.log(line)
    this.#store = openStore({ agents: (agents) => this.#setAgents(agents), log, damaged })
    this.#queue = new SaveQueue({ damaged, log })
    this.#unsavedChanges = new UnsavedChanges(this.#queue, this.#store)
    const told = { names: this.#names, label: (id: string) => this.#member(id)?.label }
    this.#settings = new AgentSettings(this.#queue, this.#store, told, snapshot.services)
    this.#lastSeen = new LastSeen(this.#queue, this.#store, snapshot.agents)
  }

  /**
   * @param openStore how the database is written while the hub runs; default: in a thread of its own
   * @throws ConnectError HUB_DATA_DAMAGED, WRITE_FAILED
   */
  static async open(
    folder: string,
    events: RegistryEvents,
    openStore?: (events: StoreEvents) => StoreCalls,
  ): Promise<SqliteRegistry> {
    // Opened in this thread first, so that errors keep their class.
    const store = await Store.open(folder)
    const state = openStore ? undefined : store.settle()
    const snapshot = store.snapshot()
    const rest = state === undefined ? undefined : store.rest(state)
    if (!rest) store.close()
    const openThread = (storeEvents: StoreEvents) => new StoreThread(folder, storeEvents, rest)
    return new SqliteRegistry(snapshot, events, openStore ?? openThread)
  }

  /** All that have joined, those included that were revoked. */
  agents(): Iterable<Agent> {
    return this.#agents.values()
  }

  /** How many have joined, without those that were revoked. */
  get memberCount(): number {
    return [...this.#agents.values()].filter(({ revoked }) => !revoked).length
  }

  /** See SaveQueue. */
  get unsaved(): SaveQueue['unsaved'] {
    return this.#queue.unsaved
  }

  agent(id: string): Agent | undefined {
    return this.#agents.get(id)
  }

  async join(request: Pick<JoinTry, 'token' | 'agent' | 'key' | 'label'>): Promise<boolean> {
    const id = request.agent
    // One key joins once at a time.
    while (this.#joining.has(id)) await this.#joining.get(id)
    const known = this.#agents.get(id)
    if (known) return !known.revoked
    const joined = this.#join(request)
    const ended = () => this.#joining.delete(id)
    this.#joining.set(id, joined.then(ended, ended))
    return joined
  }

  #join(request: JoinTry): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    this.#queue.add({
      lane: LANES.membership,
      run: async () => {
        const isAfresh = this.#unsavedChanges.isRemoved(request.agent)
        const { revokedTokens } = this.#unsavedChanges
        const agent = await this.#store.call('join', { ...request, isAfresh, revokedTokens })
        if (agent) {
          this.#unsavedChanges.joined(agent.id)
          this.#agents.set(agent.id, agent)
        }
        resolve(agent !== undefined)
      },
      failed: (error) => {
        reject(error)
        return false
      },
    })
    return promise
  }

  tokenState(token: string): Promise<JoinToken['state'] | undefined> {
    return this.#store.call('tokenState', token, this.#unsavedChanges.revokedTokens)
  }

  setLabel(id: string, label: string): void {
    const agent = this.#member(id)
    if (!agent || agent.label === label) return
    this.#agents.set(id, { ...agent, label })
    void this.#settings.save(id)
  }

  seen(id: string): void {
    if (this.#agents.has(id)) this.#lastSeen.note(id)
  }

  /** When a link of the agent was up, in ms since 1970; undefined if that isn't known. */
  lastSeen(id: string): number | undefined {
    return this.#lastSeen.of(id)
  }

  async remove(id: string): Promise<Saved> {
    while (this.#joining.has(id)) await this.#joining.get(id)
    const agent = this.#member(id)
    return agent ? this.#remove(agent, 'logged out') : this.#unsavedChanges.retryRemoval(id)
  }

  /**
   * Forgets an agent, whose key may join anew, and its names: at once, also if that can't be saved.
   *
   * @throws ConnectError NO_SUCH_ENTRY
   */
  async removeAgent(id: string): Promise<Saved> {
    while (this.#joining.has(id)) await this.#joining.get(id)
    const agent = this.#agents.get(id)
    if (agent) return this.#remove(agent, 'removed')
    if (this.#unsavedChanges.isRemoved(id)) return this.#unsavedChanges.retryRemoval(id)
    throw new ConnectError('NO_SUCH_ENTRY', `There is no machine "${id}"`)
  }

  #remove(agent: Agent, why: 'logged out' | 'removed'): Promise<Saved> {
    const { id, revoked } = agent
    this.#agents.delete(id)
    this.#lastSeen.forget(id)
    if (!revoked) this.#forget(agent, why)
    return this.#unsavedChanges.removeAgent(id, revoked)
  }

  /** @throws StoreError if that can't be saved */
  createToken(options: TokenOptions): Promise<MadeToken> {
    return this.#store.call('createToken', options)
  }

  /**
   * Join tokens by which a machine may join, the newest first.
   *
   * @param limit how many at the most
   * @throws StoreError
   */
  async validTokens(limit: number): Promise<JoinToken[]> {
    const valid = (await this.tokens()).filter(({ state }) => state === 'valid')
    return valid.toReversed().slice(0, limit)
  }

  /** All join tokens, the oldest first; one that was revoked is so, saved or not. @throws StoreError */
  async tokens(): Promise<JoinToken[]> {
    const all = await this.#store.call('tokens')
    const revoked = new Set(this.#unsavedChanges.revokedTokens)
    return all.map((token) => (revoked.has(token.id) ? { ...token, state: 'revoked' } : token))
  }

  /** What a hub that starts would find. @throws StoreError if it would not find what was saved */
  saved(): Promise<Mark> {
    return this.#store.mark()
  }

  /**
   * Revokes an agent, for good and at once: its links, its names, and all that it has under way are void.
   *
   * @throws ConnectError NO_SUCH_ENTRY
   */
  async revokeAgent(id: string): Promise<Saved> {
    while (this.#joining.has(id)) await this.#joining.get(id)
    const agent = this.#agents.get(id)
    if (!agent) throw new ConnectError('NO_SUCH_ENTRY', `There is no machine "${id}"`)
    if (agent.revoked) return this.#unsavedChanges.retryRevocation(id)
    this.#agents.set(id, { ...agent, revoked: true })
    this.#forget(agent, 'revoked')
    return this.#unsavedChanges.revokeAgent(id)
  }

  /** @throws ConnectError NO_SUCH_ENTRY */
  async revokeToken(id: string): Promise<Saved> {
    const saved = await this.#unsavedChanges.revokeToken(id)
    if (!saved) throw new ConnectError('NO_SUCH_ENTRY', `There is no join token "${id}"`)
    return saved
  }

  service(workspace: string, name: string): ClaimedService | undefined {
    return this.#names.get(workspace, name)
  }

  services(workspace: string): ClaimedService[] {
    return this.#names.in(workspace)
  }

  servicesOf(agent: string): readonly ClaimedService[] {
    return this.#names.of(agent)
  }

  async claim(
    { id, workspace }: Agent,
    services: Parameters<Registry['claim']>[1],
  ): Promise<RefusedName[] | undefined> {
    if (!this.#member(id)) return undefined
    const claimed = new Map<string, ClaimedService>()
    const refused: RefusedName[] = []
    for (const { name, port } of services) {
      const holder = this.service(workspace, name)
      const owner = holder && this.#agents.get(holder.agent)
      if (owner && owner.id !== id) refused.push({ name, owner })
      else claimed.set(name, { workspace, name, agent: id, port })
    }
    const own = [...claimed.values()]
    if (!isSameNames(own, this.#names.of(id))) this.#names.set(id, own)
    // Agents that come back claim what they had: nothing is written then, however many they are.
    if (!this.#settings.isUnsaved(id) && isSameNames(own, this.#settings.saved(id))) return refused
    const saving = this.#settings.save(id)
    if (missingFrom(this.#settings.saved(id), own).length === 0) return refused
    const error = await saving
    if (!this.#member(id)) return undefined
    if (!error) return refused
    const unsaved = missingFrom(this.#settings.saved(id), own)
    return [...refused, ...unsaved.map(({ name }) => ({ name, reason: error.message }))]
  }

  async close(): Promise<void> {
    this.#lastSeen.stop()
    await this.#queue.close()
    await this.#store.close()
  }

  #member(id: string): Agent | undefined {
    const agent = this.#agents.get(id)
    return agent?.revoked ? undefined : agent
  }

  #forget(agent: Agent, why: Parameters<RegistryEvents['gone']>[1]): void {
    this.#names.set(agent.id, [])
    this.#settings.forget(agent.id)
    this.#events.gone(agent, why)
  }

  /** Another process may have changed the database. What isn't saved yet holds all the same. */
  #setAgents(stored: readonly Agent[]): void {
    const before = this.#agents
    this.#agents = this.#unsavedChanges.appliedTo(this.#settings.appliedTo(stored), before)
    for (const agent of before.values())
      if (!agent.revoked && !this.#member(agent.id))
        this.#forget(agent, this.#agents.has(agent.id) ? 'revoked' : 'lost')
    this.#unsavedChanges.revokeAgain(stored, before)
  }
}
