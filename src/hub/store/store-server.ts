import type { MessagePort } from 'node:worker_threads'
import { adviceOn } from './database-files.ts'
import type { Rest } from './rest.ts'
import { failureOf, type StoreFailure } from './store-error.ts'
import { StoreKeeper, type Mishap } from './store-keeper.ts'
import type { Agent } from './store.ts'

/** The store's methods that the hub calls while it runs. */
export type StoreMethod =
  | 'createToken'
  | 'join'
  | 'readMark'
  | 'removeAgent'
  | 'revokeAgent'
  | 'revokeToken'
  | 'setAgent'
  | 'setSeen'
  | 'tokenState'
  | 'tokens'

export interface StoreCall {
  id: number
  method: StoreMethod
  args: unknown[]
}

export type StoreReply =
  | { id: number; result: unknown }
  | { id: number; failure: StoreFailure }
  /** All agents: at first, and when another process (`connect hub agent revoke`) has changed the database. */
  | { agents: Agent[] }
  /** The database is closed, and whoever is asked nothing any more ends. */
  | { rest: Rest }
  /** For whoever runs the hub. */
  | { log: string }
  /** The store can't go on. */
  | { ended: StoreFailure }

const POLL_MS = 500

/** So many looks after the last call, or change, what is written goes into the one file of the database. */
const SETTLE_AFTER_LOOKS = 4
/** And then the database is closed. */
const REST_AFTER_LOOKS = 10

const MISHAPS: Record<Mishap, string> = {
  deleted:
    'Files of the hub’s database were deleted while it ran, and are written anew. To begin with an empty one, stop the hub first',
  older:
    'An older copy of the hub’s database was put in its place, in which used and revoked join tokens were valid again. All of them are revoked now. Make a new one with: connect hub token create',
}

/**
 * Answers StoreCalls, one after another, from the database in a folder, until 'close' comes, or has not been
 * asked anything for some seconds.
 *
 * @param rest how the database was left; default: it is opened as it is there
 */
export async function serveStore(folder: string, port: MessagePort, rest?: Rest): Promise<void> {
  const reply = (message: StoreReply) => port.postMessage(message)
  try {
    serve(await StoreKeeper.of(folder, rest), folder, port, reply)
  } catch (error) {
    reply({ ended: failureOf(error, folder) })
  }
}

function serve(
  keeper: StoreKeeper,
  folder: string,
  port: MessagePort,
  reply: (message: StoreReply) => void,
): void {
  const explain = (error: unknown) => failureOf(error, folder, () => keeper.check())
  let seen: number | undefined
  let trouble: string | undefined
  let quietLooks = 0
  /** @throws what is wrong, if a hub that starts would not find what is written now */
  const hold = () => {
    try {
      const mishap = keeper.hold()
      if (mishap) {
        reply({ log: `[!] ${MISHAPS[mishap]}` })
        // The data version is counted by connection, and the database was opened anew.
        seen = undefined
      }
      trouble = undefined
    } catch (error) {
      const { kind, reason } = explain(error)
      // Damage is the end, which is told otherwise.
      if (kind !== 'damaged' && reason !== trouble)
        reply({ log: `[x] The hub can save nothing: ${reason}. ${adviceOn(reason, folder)}` })
      trouble = reason
      throw error
    }
  }
  const look = () => {
    try {
      // First, since to settle writes into the file, which may be another's by now.
      hold()
      // Before it is looked at: what another process changes after that changes the state.
      const state = ++quietLooks > SETTLE_AFTER_LOOKS ? keeper.settle() : undefined
      const version = keeper.store.dataVersion()
      if (version !== seen) {
        reply({ agents: keeper.store.agents() })
        seen = version
        quietLooks = 0
      } else if (state !== undefined && quietLooks > REST_AFTER_LOOKS) rest(state)
    } catch (error) {
      const failure = explain(error)
      // Other trouble may heal: the next look tells.
      if (failure.kind === 'damaged') reply({ ended: failure })
    }
  }
  const rest = (state: string) => {
    reply({ rest: keeper.rest(state) })
    end()
  }
  const end = () => {
    clearInterval(timer)
    keeper.close()
    port.off('message', answer)
    port.close()
  }
  const answer = (call: StoreCall | 'close') => {
    if (call === 'close') return end()
    quietLooks = 0
    try {
      // Before the call: what is refused shall not be done. After it: what is done shall be found again.
      hold()
      const method = keeper.store[call.method] as (...args: unknown[]) => unknown
      const result = method.apply(keeper.store, call.args)
      hold()
      reply({ id: call.id, result })
    } catch (error) {
      reply({ id: call.id, failure: explain(error) })
    }
  }
  const timer = setInterval(look, POLL_MS)
  look()
  port.on('message', answer)
}
