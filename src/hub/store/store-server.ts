import type { MessagePort } from 'node:worker_threads'
import { adviceOn } from './database-files.ts'
import { failureOf, type StoreFailure } from './store-error.ts'
import { Store, type Agent } from './store.ts'

/** The store's methods that the hub calls while it runs. */
export type StoreMethod = 'join' | 'removeAgent' | 'revokeAgent' | 'revokeToken' | 'setAgent'

interface StoreCall {
  id: number
  method: StoreMethod
  args: unknown[]
}

export type StoreReply =
  | { id: number; result: unknown }
  | { id: number; failure: StoreFailure }
  /** All agents: at first, and when another process (`connect hub agent revoke`) has changed the database. */
  | { agents: Agent[] }
  /** For whoever runs the hub. */
  | { log: string }
  /** The store can't go on. */
  | { ended: StoreFailure }

const POLL_MS = 500

const WRITTEN_ANEW =
  'Files of the hub’s database were deleted while it ran, and are written anew. To begin with an empty one, stop the hub first'

/** Answers StoreCalls, one after another, from the database in a folder, until 'close' comes. */
export async function serveStore(folder: string, port: MessagePort): Promise<void> {
  const reply = (message: StoreReply) => port.postMessage(message)
  try {
    serve(await Store.open(folder), folder, port, reply)
  } catch (error) {
    reply({ ended: failureOf(error, folder) })
  }
}

function serve(store: Store, folder: string, port: MessagePort, reply: (message: StoreReply) => void): void {
  const explain = (error: unknown) => failureOf(error, folder, () => store.check())
  let seen: number | undefined
  let trouble: string | undefined
  /** @throws what is wrong, if a hub that starts would not find what is written now */
  const hold = () => {
    try {
      if (store.hold()) {
        reply({ log: `[!] ${WRITTEN_ANEW}` })
        // The data version is counted by connection, and the database was opened anew.
        seen = undefined
      }
      trouble = undefined
    } catch (error) {
      const { reason } = explain(error)
      if (reason !== trouble)
        reply({ log: `[x] The hub can save nothing: ${reason}. ${adviceOn(reason, folder)}` })
      trouble = reason
      throw error
    }
  }
  const look = () => {
    try {
      hold()
      const version = store.dataVersion()
      if (version === seen) return
      reply({ agents: store.agents() })
      seen = version
    } catch (error) {
      const failure = explain(error)
      // Other trouble may heal: the next look tells.
      if (failure.kind === 'damaged') reply({ ended: failure })
    }
  }
  const timer = setInterval(look, POLL_MS)
  look()
  port.on('message', (call: StoreCall | 'close') => {
    if (call === 'close') {
      clearInterval(timer)
      store.close()
      port.close()
      return
    }
    try {
      // Before the call: what is refused shall not be done. After it: what is done shall be found again.
      hold()
      const method = store[call.method] as (...args: unknown[]) => unknown
      const result = method.apply(store, call.args)
      hold()
      reply({ id: call.id, result })
    } catch (error) {
      reply({ id: call.id, failure: explain(error) })
    }
  })
}
