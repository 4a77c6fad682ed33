import { LANES, type SaveQueue, type Write } from '../store/save-queue.ts'
import type { StoreError } from '../store/store-error.ts'
import type { StoreCalls } from '../store/store-thread.ts'
import type { Agent, ClaimedService } from '../store/store.ts'
import type { ServiceNames } from './service-names.ts'

/** What the agents have told of themselves, in memory. */
export interface Told {
  readonly names: ServiceNames
  /** @returns undefined for an agent that is no member, or not any more */
  label(agent: string): string | undefined
}

/**
 * Saves what agents have told of themselves: their labels and names. There is one write an agent at a time,
 * of the latest that the agent has said, however often it changes its mind.
 */
export class AgentSettings {
  readonly #queue: SaveQueue
  readonly #store: StoreCalls
  readonly #told: Told
  readonly #saved = new Map<string, readonly ClaimedService[]>()
  readonly #writes = new Map<string, AgentSettingsWrite>()

  constructor(queue: SaveQueue, store: StoreCalls, told: Told, saved: readonly ClaimedService[]) {
    this.#queue = queue
    this.#store = store
    this.#told = told
    for (const [agent, own] of Map.groupBy(saved, (service) => service.agent)) this.#saved.set(agent, own)
  }

  /** The names of an agent that are in the database. */
  saved(agent: string): readonly ClaimedService[] {
    return this.#saved.get(agent) ?? []
  }

  /** Whether there is something that the database doesn't have. */
  isUnsaved(agent: string): boolean {
    return this.#writes.has(agent)
  }

  /** Agents as the database has them, under the labels that it doesn't have yet. */
  appliedTo(stored: readonly Agent[]): Agent[] {
    return stored.map((agent) => {
      const label = this.isUnsaved(agent.id) ? this.#told.label(agent.id) : undefined
      return label === undefined ? agent : { ...agent, label }
    })
  }

  /**
   * Saves what the agent has told so far.
   *
   * @returns what went wrong, if anything: then saving is tried again
   */
  save(agent: string): Promise<StoreError | undefined> {
    let write = this.#writes.get(agent)
    if (!write) {
      write = new AgentSettingsWrite(
        (one) => this.#write(agent, one),
        () => this.#undo(agent),
      )
      this.#writes.set(agent, write)
    }
    const saved = write.next()
    this.#queue.add(write)
    return saved
  }

  /** The agent is no member any more. */
  forget(agent: string): void {
    const write = this.#writes.get(agent)
    this.#writes.delete(agent)
    this.#saved.delete(agent)
    if (!write) return
    this.#queue.drop(write)
    write.settle()
  }

  async #write(agent: string, write: AgentSettingsWrite): Promise<void> {
    const label = this.#told.label(agent)
    // All that was told is saved already, or the agent is no member any more.
    if (label === undefined || this.#writes.get(agent) !== write) return
    const names = this.#told.names.of(agent)
    const isMember = await this.#store.call('setAgent', agent, label, names)
    if (this.#writes.get(agent) !== write) return
    // If not, another process has revoked the agent, and the news of that is on its way.
    if (isMember) this.#saved.set(agent, names)
    // What was told meanwhile waits in the queue already.
    if (this.#told.names.of(agent) === names && this.#told.label(agent) === label) this.#writes.delete(agent)
  }

  /**
   * Takes back what is new, since it could not be saved: what the hub has confirmed shall hold over a
   * restart. What the agent itself took back stays so.
   *
   * @returns whether there is something left to be saved
   */
  #undo(agent: string): boolean {
    const label = this.#told.label(agent)
    if (label === undefined) return false
    const saved = new Map(this.saved(agent).map((service) => [service.name, service]))
    const { names } = this.#told
    names.set(
      agent,
      names.of(agent).flatMap(({ name }) => saved.get(name) ?? []),
    )
    return true
  }
}

/** All that is unsaved of one agent, and the callers that wait for that. */
class AgentSettingsWrite implements Write {
  readonly lane = LANES.settings
  readonly #work: (write: AgentSettingsWrite) => Promise<void>
  readonly #undo: () => boolean
  #waiting: ((error?: StoreError) => void)[] = []

  constructor(work: (write: AgentSettingsWrite) => Promise<void>, undo: () => boolean) {
    this.#work = work
    this.#undo = undo
  }

  /** @returns what the attempt that begins next will settle */
  next(): Promise<StoreError | undefined> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async run(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    try {
      await this.#work(this)
    } catch (error) {
      this.#waiting.unshift(...waiting)
      throw error
    }
    for (const settle of waiting) settle()
  }

  failed(error: StoreError): boolean {
    const isLeft = this.#undo()
    this.settle(error)
    return isLeft
  }

  settle(error?: StoreError): void {
    for (const settle of this.#waiting.splice(0)) settle(error)
  }
}
