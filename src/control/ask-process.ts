import * as v from 'valibot'
import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { requestLocally, type LocalAnswer, type LocalRequest } from '../net/local/request.ts'
import { restartAdvice } from './restart-advice.ts'

/** An agent or a hub that is asked; of one that is not ours no record is known. */
export type Asked = Pick<Instance, 'kind' | 'socketPath'> & Partial<Pick<Instance, 'recordFile'>>

/**
 * Asks the process of an instance on its socket.
 *
 * @returns undefined if none listens
 * @throws ConnectError AGENT_BUSY or HUB_BUSY if one listens but doesn't answer
 */
export async function askProcess(
  asked: Asked,
  request: Omit<LocalRequest, 'socketPath'>,
): Promise<LocalAnswer | undefined> {
  try {
    return await requestLocally({ ...request, socketPath: asked.socketPath })
  } catch (error) {
    const { process, errors } = wordsOf(asked)
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
    const message = `The ${process} does not answer${isTimeout ? '' : `: ${messageOf(error)}`}`
    throw new ConnectError(errors.busy, message, { hints: [restartAdvice(asked)], cause: error })
  }
}

/** What it has answered. @throws ConnectError AGENT_OTHER_VERSION or HUB_OTHER_VERSION if that makes no sense */
export function parseAnswer<T>(asked: Asked, { text }: LocalAnswer, schema: v.GenericSchema<unknown, T>): T {
  try {
    return v.parse(schema, JSON.parse(text))
  } catch (error) {
    const { process, errors } = wordsOf(asked)
    const message = `The ${process} that runs gave an answer that this version can’t read`
    throw new ConnectError(errors.otherVersion, message, { hints: [restartAdvice(asked)], cause: error })
  }
}
