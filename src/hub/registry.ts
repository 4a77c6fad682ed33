import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../errors.ts'
import type { PublicKey } from '../tunnel/handshake.ts'
import { Store, type Agent, type ClaimedService } from './store.ts'
import type { StoreMethod, StoreReply } from './store-worker.ts'

/**
 * Who may connect, and who offers what. Every question is answered from memory; a directory that many hubs share can
 * stand behind the same interface.
 */
export interface Registry {
  readonly hubId: string
  agent(id: string): Agent | undefined
  /** Spends a join token. @returns false if the hub doesn't accept it */
  join(request: { token: string; agent: string; key: PublicKey; label: string }): Promise<boolean>
  setLabel(agent: string, label: string): void
  /** Forgets an agent that has logged out. */
  remove(agent: string): Promise<void>
  service(workspace: string, name: string): ClaimedService | undefined
  services(workspace: string): ClaimedService[]
  /**
   * Makes these the services of an agent. A name stays with the agent that has it, online or not, until it is taken
   * back, so that nobody takes it over in between.
   *
   * @returns the names that belong to someone else, and to whom
   */
  claim(agent: Agent, services: readonly { name: string; port: number }[]): { name: string; owner: Agent }[]
  close(): Promise<void>
}

export interface RegistryEvents {
  /** The agent has been revoked, or removed by another process. */
  gone(agent: Agent): void
  /** The database can't be written any more. */
  failed(error: Error): void
}

/** The registry over one SQLite file, which lives in a worker thread: node:sqlite blocks whoever calls it. */
export class SqliteRegistry implements Registry {
  readonly #worker: Worker
  readonly #events: RegistryEvents
  readonly #calls = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #agents = new Map<string, Agent>()
  readonly #services = new Map<string, ClaimedService>()
  /** Of each agent that has any. */
  readonly #servicesOf = new Map<string, readonly ClaimedService[]>()
  #lastCall = 0
  hubId = ''

  private constructor(worker: Worker, events: RegistryEvents) {
    this.#worker = worker
    this.#events = events
    worker.on('message', (message: StoreReply) => this.#receive(message))
    worker.on('error', (error) => {
      for (const { reject } of this.#calls.values()) reject(error)
      events.failed(error)
    })
  }

  /** @throws ConnectError HUB_DATA_DAMAGED, WRITE_FAILED */
  static async open(folder: string, events: RegistryEvents): Promise<SqliteRegistry> {
    // Opened here once: an error loses its class and code on its way out of a worker.
    const store = await Store.open(folder)
    const snapshot = store.snapshot()
    store.close()
    // The compiler rewrites endings in imports only.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./store-worker.${ending}`, import.meta.url), {
      workerData: { folder },
    })
    const registry = new SqliteRegistry(worker, events)
    registry.hubId = snapshot.hubId
    registry.#setAgents(snapshot.agents)
    for (const [agent, services] of Map.groupBy(snapshot.services, (service) => service.agent))
      registry.#addServices(agent, services)
    return registry
  }

  agent(id: string): Agent | undefined {
    return this.#agents.get(id)
  }

  async join(request: { token: string; agent: string; key: PublicKey; label: string }): Promise<boolean> {
    const agent = (await this.#call('join', request)) as Agent | undefined
    if (!agent) return false
    this.#agents.set(agent.id, agent)
    return true
  }

  setLabel(id: string, label: string): void {
    const agent = this.#agents.get(id)
    if (!agent || agent.label === label) return
    this.#agents.set(id, { ...agent, label })
    this.#write('setLabel', id, label)
  }

  async remove(id: string): Promise<void> {
    await this.#call('removeAgent', id)
    this.#agents.delete(id)
    this.#dropServices(id)
  }

  service(workspace: string, name: string): ClaimedService | undefined {
    return this.#services.get(keyOf(workspace, name))
  }

  services(workspace: string): ClaimedService[] {
    return [...this.#services.values()].filter((service) => service.workspace === workspace)
  }

  claim(agent: Agent, services: readonly { name: string; port: number }[]): { name: string; owner: Agent }[] {
    const { workspace, id } = agent
    const before = this.#servicesOf.get(id) ?? []
    this.#dropServices(id)
    const claimed = new Map<string, ClaimedService>()
    const refused: { name: string; owner: Agent }[] = []
    for (const { name, port } of services) {
      const taken = this.service(workspace, name)
      const owner = taken && this.#agents.get(taken.agent)
      if (owner && owner.id !== id) refused.push({ name, owner })
      else claimed.set(name, { workspace, name, agent: id, port })
    }
    this.#addServices(id, [...claimed.values()])
    // Agents that come back claim what they had: nothing is written then, however many they are.
    const isSame =
      before.length === claimed.size && before.every(({ name, port }) => claimed.get(name)?.port === port)
    if (!isSame) this.#write('setServices', id, [...claimed.values()])
    return refused
  }

  async close(): Promise<void> {
    this.#worker.postMessage('close')
    await once(this.#worker, 'exit')
  }

  #setAgents(agents: readonly Agent[]): void {
    const before = this.#agents
    this.#agents = new Map(agents.map((agent) => [agent.id, agent]))
    for (const agent of before.values()) {
      const now = this.#agents.get(agent.id)
      if (agent.revoked || (now && !now.revoked)) continue
      this.#dropServices(agent.id)
      this.#events.gone(agent)
    }
  }

  #addServices(agent: string, services: readonly ClaimedService[]): void {
    for (const service of services) this.#services.set(keyOf(service.workspace, service.name), service)
    if (services.length > 0) this.#servicesOf.set(agent, services)
  }

  #dropServices(agent: string): void {
    for (const service of this.#servicesOf.get(agent) ?? []) {
      const key = keyOf(service.workspace, service.name)
      // Someone else may have it by now, from an agent that is unknown.
      if (this.#services.get(key) === service) this.#services.delete(key)
    }
    this.#servicesOf.delete(agent)
  }

  #call<Method extends StoreMethod>(method: Method, ...args: Parameters<Store[Method]>): Promise<unknown> {
    const id = ++this.#lastCall
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      this.#worker.postMessage({ id, method, args })
    })
  }

  /** Written behind the answer: what counts while the hub runs is the memory. */
  #write<Method extends StoreMethod>(method: Method, ...args: Parameters<Store[Method]>): void {
    this.#call(method, ...args).catch((error: unknown) => this.#events.failed(new Error(messageOf(error))))
  }

  #receive(message: StoreReply): void {
    if ('agents' in message) return this.#setAgents(message.agents)
    const call = this.#calls.get(message.id)
    this.#calls.delete(message.id)
    if ('error' in message) call?.reject(new Error(message.error))
    else call?.resolve(message.result)
  }
}

/** A name never has a slash in it, see config/service-name.ts. */
function keyOf(workspace: string, name: string): string {
  return `${workspace}/${name}`
}
