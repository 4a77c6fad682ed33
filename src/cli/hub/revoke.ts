import * as v from 'valibot'
import { ConnectError } from '../../errors.ts'
import { hubSocketPath, NOT_THERE, RevokeReply } from '../../hub/control/schema.ts'
import { requestLocally } from '../../net/local/request.ts'
import { withStore } from './with-store.ts'

/** A hub answers at once; one whose disk hangs may not. In ms. */
const TIMEOUT_MS = 10_000

const KINDS = {
  agent: { path: 'agents', noun: 'machine' },
  token: { path: 'tokens', noun: 'join token' },
} as const

/**
 * Revokes a machine or a join token: through the hub if one runs, which heeds it from then on; else
 * in its database.
 *
 * @throws ConnectError NO_SUCH_ENTRY, HUB_DATA_MISSING, HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function revoke(folder: string, kind: keyof typeof KINDS, id: string): Promise<RevokeReply> {
  const { path, noun } = KINDS[kind]
  const missing = () =>
    new ConnectError('NO_SUCH_ENTRY', `There is no ${noun} "${id}"`, {
      hints: [`See the list: connect hub ${kind} list`],
    })
  const answer = await askHub(folder, `/v1/${path}/${encodeURIComponent(id)}`)
  if (answer === NOT_THERE) throw missing()
  if (answer) return answer
  const isKnown = await withStore(folder, (store) =>
    kind === 'agent' ? store.revokeAgent(id) : store.revokeToken(id),
  )
  if (!isKnown) throw missing()
  return { saved: true }
}

/** The lines about a revocation that holds now, and would not after a restart of the hub. */
export function unsavedLines(id: string, reason: string): string[] {
  return [
    `[!] Revoked ${id}: it is in effect, but not saved yet. The hub can’t save it: ${reason}`,
    '  It would be undone if the hub ended now. Fix that, then run this again.',
  ]
}

/** @returns undefined if no hub runs, or none answers: a hub notices a change of its database by itself */
async function askHub(folder: string, path: string): Promise<RevokeReply | typeof NOT_THERE | undefined> {
  const options = { socketPath: hubSocketPath(folder), method: 'DELETE', path, timeoutMs: TIMEOUT_MS }
  const answer = await requestLocally(options).catch(() => undefined)
  if (answer?.status === NOT_THERE) return NOT_THERE
  if (answer?.status !== 200) return undefined
  return v.parse(RevokeReply, JSON.parse(answer.text))
}
