import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { messageOf } from '../../errors.ts'
import { isAtRest, isUnchanged, type Rest } from './rest.ts'
import type { Mark } from './schema.ts'
import { StoreError, storageError, type StoreFailure } from './store-error.ts'
import type { StoreCall, StoreMethod, StoreReply } from './store-server.ts'
import type { Agent, Store } from './store.ts'

/** What the registry needs of the database while the hub runs. */
export interface StoreCalls {
  /** @throws StoreError */
  call<Method extends StoreMethod>(
    method: Method,
    ...args: Parameters<Store[Method]>
  ): Promise<ReturnType<Store[Method]>>
  /** What a hub that starts would find. @throws StoreError if it would not find what was saved */
  mark(): Promise<Mark>
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
/** How often a database at rest is looked at, in ms. */
const LOOK_MS = 500

interface Call {
  readonly message: StoreCall
  readonly resolve: (value: never) => void
  readonly reject: (error: StoreError) => void
}

/**
 * The database in a thread of its own, since node:sqlite blocks. A thread is 8 MB: one that is asked nothing
 * ends, and the next call starts another, as does any change of the file. One that fails is started again.
 */
export class StoreThread implements StoreCalls {
  readonly #folder: string
  readonly #events: StoreEvents
  readonly #calls = new Map<number, Call>()
  #worker: Worker | undefined
  #lastCall = 0
  /** How a thread has left the database the last time. */
  #rest: Rest | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param rest how the database was left, if whoever has events knows what is in it */
  constructor(folder: string, events: StoreEvents, rest?: Rest) {
    this.#folder = folder
    this.#events = events
    this.#rest = rest
    if (rest) void this.#look()
    else this.#start()
  }

  call<Method extends StoreMethod>(
    method: Method,
    ...args: Parameters<Store[Method]>
  ): Promise<ReturnType<Store[Method]>> {
    const message = { id: ++this.#lastCall, method, args }
    return new Promise((resolve, reject) => {
      this.#calls.set(message.id, { message, resolve, reject })
      if (this.#worker) this.#worker.postMessage(message)
      else this.#start()
    })
  }

  async mark(): Promise<Mark> {
    const rest = this.#rest
    // A full disk has no room for what it takes to open the database.
    return rest && (await isUnchanged(rest)) ? rest.mark : this.call('readMark')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (this.#worker) {
      const ended = once(this.#worker, 'exit')
      this.#worker.postMessage('close')
      await ended
    }
    this.#setRest(undefined)
  }

  #start(): void {
    clearTimeout(this.#timer)
    try {
      const worker = this.#startWorker()
      this.#worker = worker
      for (const { message } of this.#calls.values()) worker.postMessage(message)
    } catch (error) {
      // ERR_WORKER_INIT_FAILED: as many threads as there may be.
      this.#ended(storageError(`its database thread could not start: ${messageOf(error)}`))
    }
  }

  #startWorker(): Worker {
    // The compiler rewrites endings in imports only.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./store-worker.${ending}`, import.meta.url), {
      workerData: { folder: this.#folder, rest: this.#rest },
      // The descriptor of a database at rest is for those who come later.
      trackUnmanagedFds: false,
    })
    let why: StoreFailure = { kind: 'storage', reason: 'its database thread has ended' }
    let isAtRest = false
    worker.on('message', (message: StoreReply) => {
      if ('ended' in message) {
        why = message.ended
        void worker.terminate()
      } else if ('rest' in message) {
        isAtRest = true
        this.#setRest(message.rest)
      } else this.#receive(message)
    })
    worker.on('error', (error) => {
      why = { kind: 'storage', reason: `its database thread has ended: ${error.message}` }
    })
    worker.on('exit', () => {
      this.#worker = undefined
      if (isAtRest && !this.#isClosed) return this.#rested()
      this.#setRest(undefined)
      this.#ended(new StoreError(why))
    })
    return worker
  }

  /** What was asked of a thread that was about to end, it has not seen. */
  #rested(): void {
    if (this.#calls.size > 0) this.#start()
    else void this.#look()
  }

  async #look(): Promise<void> {
    const rest = this.#rest!
    const isUntouched = await isAtRest(rest)
    if (this.#worker || this.#rest !== rest) return
    clearTimeout(this.#timer)
    if (isUntouched) this.#timer = setTimeout(() => void this.#look(), LOOK_MS)
    else this.#start()
  }

  #setRest(rest: Rest | undefined): void {
    const before = this.#rest?.descriptor
    this.#rest = rest
    if (before !== undefined && before !== rest?.descriptor) closeSync(before)
  }

  #ended(error: StoreError): void {
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    for (const { reject } of calls) reject(error)
    if (this.#isClosed) return
    if (error.kind === 'damaged') return this.#events.damaged(error)
    this.#timer = setTimeout(() => this.#start(), RESTART_MS)
  }

  #receive(message: Exclude<StoreReply, { ended: StoreFailure } | { rest: Rest }>): void {
    if ('agents' in message) return this.#events.agents(message.agents)
    if ('log' in message) return this.#events.log?.(message.log)
    const call = this.#calls.get(message.id)
    this.#calls.delete(message.id)
    if ('failure' in message) call?.reject(new StoreError(message.failure))
    else call?.resolve(message.result as never)
  }
}
