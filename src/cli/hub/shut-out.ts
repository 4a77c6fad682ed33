import { hubInstance } from '../../config/hub/hub-instance.ts'
import { codeOf, ConnectError } from '../../errors.ts'
import { requestHub } from '../../hub/control/client.ts'
import { RevokeReply } from '../../hub/control/schema.ts'
import type { Store } from '../../hub/store/store.ts'
import { withStore } from './with-store.ts'

/** What it is called, what is asked of the hub, what else is done to its database, and what it is done to. */
interface Way {
  readonly done: string
  readonly method: 'DELETE' | 'POST'
  readonly path: (id: string) => string
  readonly store: (store: Store, id: string) => boolean
  readonly noun: string
  readonly list: string
}

const AGENT = { noun: 'machine', list: 'connect hub agent list' }
const TOKEN = { noun: 'join token', list: 'connect hub token list' }

const WAYS = {
  'revoke agent': {
    done: 'Revoked',
    method: 'DELETE',
    path: (id) => `/v1/agents/${id}`,
    store: (store, id) => store.revokeAgent(id),
    ...AGENT,
  },
  'remove agent': {
    done: 'Removed',
    method: 'POST',
    path: (id) => `/v1/agents/${id}/remove`,
    store: (store, id) => store.removeAgent(id),
    ...AGENT,
  },
  'revoke token': {
    done: 'Revoked',
    method: 'DELETE',
    path: (id) => `/v1/tokens/${id}`,
    store: (store, id) => store.revokeToken(id),
    ...TOKEN,
  },
} as const satisfies Record<string, Way>

export type WayOut = keyof typeof WAYS

/** `Revoked ID`, say. */
export function doneWords(way: WayOut, id: string): string {
  return `${WAYS[way].done} ${id}`
}

/**
 * Revokes a machine or a join token, or removes a machine: through the hub if one runs, which heeds it from
 * then on; else in its database.
 *
 * @throws ConnectError NO_SUCH_ENTRY, HUB_DATA_MISSING, HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function shutOut(folder: string, way: WayOut, id: string): Promise<RevokeReply> {
  const { method, path, store: change, noun, list } = WAYS[way]
  const missing = () =>
    new ConnectError('NO_SUCH_ENTRY', `There is no ${noun} "${id}"`, { hints: [`See the list: ${list}`] })
  const asked = requestHub(
    hubInstance({ dataDir: folder }),
    method,
    path(encodeURIComponent(id)),
    RevokeReply,
  )
  const answer = await asked.catch((error: unknown) => {
    throw codeOf(error) === 'NO_SUCH_ENTRY' ? missing() : error
  })
  if (answer) return answer
  const isKnown = await withStore(folder, (store) => change(store, id))
  if (!isKnown) throw missing()
  return { saved: true }
}
