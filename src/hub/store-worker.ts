import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../errors.ts'
import { Store, type Agent } from './store.ts'

/** The store's methods that the hub calls while it runs. */
export type StoreMethod = 'join' | 'removeAgent' | 'setLabel' | 'setServices'

export interface StoreCall {
  id: number
  method: StoreMethod
  args: unknown[]
}

export type StoreReply =
  | { id: number; result: unknown }
  | { id: number; error: string }
  /** Another process (`connect hub agent revoke`) has changed the database. */
  | { agents: Agent[] }

const POLL_MS = 500

const port = parentPort
if (!port) throw new Error('store-worker runs as a worker thread only')
const reply = (message: StoreReply) => port.postMessage(message)

const { folder } = workerData as { folder: string }
const store = await Store.open(folder)

port.on('message', (call: StoreCall | 'close') => {
  if (call === 'close') {
    clearInterval(timer)
    store.close()
    port.close()
    return
  }
  try {
    const method = store[call.method] as (...args: unknown[]) => unknown
    reply({ id: call.id, result: method.apply(store, call.args) })
  } catch (error) {
    reply({ id: call.id, error: messageOf(error) })
  }
})

let seen = store.dataVersion()
const timer = setInterval(() => {
  const version = store.dataVersion()
  if (version === seen) return
  seen = version
  reply({ agents: store.agents() })
}, POLL_MS)
