import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { StoreError, type StoreFailure } from './store-error.ts'
import type { StoreMethod, StoreReply } from './store-server.ts'
import type { Agent, Store } from './store.ts'

/** What the registry needs of the database while the hub runs. */
export interface StoreCalls {
  /** @throws StoreError */
  call<Method extends StoreMethod>(
    method: Method,
    ...args: Parameters<Store[Method]>
  ): Promise<ReturnType<Store[Method]>>
  close(): Promise<void>
}

export interface StoreEvents {
  /** All agents that there are: at the beginning, and when another process has changed the database. */
  agents(agents: Agent[]): void
  /** One line for whoever runs the hub; default: nobody is told. */
  log?(line: string): void
  /** There is no use in going on. */
  damaged(error: StoreError): void
}

/** How long after its end a worker is started again, in ms. */
const RESTART_MS = 1000

/** The database in a thread of its own, since node:sqlite blocks. A thread that ends is started again. */
export class StoreThread implements StoreCalls {
  readonly #folder: string
  readonly #events: StoreEvents
  readonly #calls = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: StoreError) => void }
  >()
  #worker: Worker | undefined
  #lastCall = 0
  #restart: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(folder: string, events: StoreEvents) {
    this.#folder = folder
    this.#events = events
    this.#worker = this.#start()
  }

  call<Method extends StoreMethod>(
    method: Method,
    ...args: Parameters<Store[Method]>
  ): Promise<ReturnType<Store[Method]>> {
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#lastCall
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject })
      worker.postMessage({ id, method, args })
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#restart)
    if (!this.#worker) return
    const ended = once(this.#worker, 'exit')
    this.#worker.postMessage('close')
    await ended
  }

  #start(): Worker {
    clearTimeout(this.#restart)
    // The compiler rewrites endings in imports only.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./store-worker.${ending}`, import.meta.url), {
      workerData: { folder: this.#folder },
    })
    let why: StoreFailure = { kind: 'storage', reason: 'its database thread has ended' }
    worker.on('message', (message: StoreReply) => {
      if ('ended' in message) {
        why = message.ended
        void worker.terminate()
      } else this.#receive(message)
    })
    worker.on('error', (error) => {
      why = { kind: 'storage', reason: `its database thread has ended: ${error.message}` }
    })
    worker.on('exit', () => this.#ended(new StoreError(why)))
    return worker
  }

  #ended(error: StoreError): void {
    this.#worker = undefined
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const { reject } of calls) reject(error)
    if (this.#isClosed) return
    if (error.kind === 'damaged') return this.#events.damaged(error)
    this.#restart = setTimeout(() => (this.#worker ??= this.#start()), RESTART_MS)
  }

  #receive(message: Exclude<StoreReply, { ended: StoreFailure }>): void {
    if ('agents' in message) return this.#events.agents(message.agents)
    if ('log' in message) return this.#events.log?.(message.log)
    const call = this.#calls.get(message.id)
    this.#calls.delete(message.id)
    if ('failure' in message) call?.reject(new StoreError(message.failure))
    else call?.resolve(message.result as never)
  }
}
