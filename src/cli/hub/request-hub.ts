import * as v from 'valibot'
import { hubInstance } from '../../config/hub/hub-instance.ts'
import { ConnectError } from '../../errors.ts'
import { NOT_SAVED, NOT_THERE, NotSavedReply } from '../../hub/control/schema.ts'
import { requestLocally } from '../../net/local/request.ts'

/** A hub answers at once; one whose disk hangs may not. In ms. */
const TIMEOUT_MS = 10_000

/**
 * Asks the hub that runs on a data folder.
 *
 * @returns undefined if no hub runs, or none answers that: it notices a change of its database by itself
 * @throws ConnectError WRITE_FAILED if it can't save what was asked, and has not done it
 */
export async function requestHub<T>(
  folder: string,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<T | typeof NOT_THERE | undefined> {
  const { socketPath } = hubInstance({ dataDir: folder })
  const options = { socketPath, method, path, timeoutMs: TIMEOUT_MS }
  const answer = await requestLocally(options).catch(() => undefined)
  if (answer?.status === NOT_THERE) return NOT_THERE
  if (answer?.status === NOT_SAVED) {
    const { reason } = v.parse(NotSavedReply, JSON.parse(answer.text))
    throw new ConnectError('WRITE_FAILED', `The hub can’t save it: ${reason}`)
  }
  return answer?.status === 200 ? v.parse(schema, JSON.parse(answer.text)) : undefined
}
