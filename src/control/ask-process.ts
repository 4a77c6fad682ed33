import * as v from 'valibot'
import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import type { ErrorCode } from '../error-codes.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { requestLocally, type LocalAnswer, type LocalRequest } from '../net/local/request.ts'
import { readProcessRecord, type InstanceProcess } from './process-record.ts'
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

/** What it answered. @throws ConnectError AGENT_OTHER_VERSION or HUB_OTHER_VERSION if that makes no sense */
export function parseAnswer<T>(asked: Asked, { text }: LocalAnswer, schema: v.GenericSchema<unknown, T>): T {
  try {
    return v.parse(schema, JSON.parse(text))
  } catch (error) {
    const { process, errors } = wordsOf(asked)
    const message = `The ${process} that runs gave an answer that this version can’t read`
    throw new ConnectError(errors.otherVersion, message, { hints: [restartAdvice(asked)], cause: error })
  }
}

const SILENCE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'AGENT_BUSY',
  'AGENT_OTHER_VERSION',
  'HUB_BUSY',
  'HUB_OTHER_VERSION',
])

/** Whether it is that the process doesn't answer, or not in words that this version knows. */
export function isSilence(error: unknown): boolean {
  return error instanceof ConnectError && SILENCE.has(error.code)
}

/** @returns undefined, too, if the process doesn't answer, or not in words that this version knows */
export async function unlessSilent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isSilence(error)) return undefined
    throw error
  }
}

/** What a process says of itself. */
export interface Answer<Status> {
  readonly status?: Status
  /** Why there is no status. */
  readonly silence?: string
  /** Its version, from its record if it doesn't answer; null if neither tells. */
  readonly version: string | null
}

/**
 * Asks a process how it is. That it doesn't say, or not in words that this version knows, is no error: the
 * reason is told.
 *
 * @param ask undefined if none listens
 */
export async function askStatus<Status extends { readonly agent: InstanceProcess }>(
  instance: Instance,
  ask: () => Promise<Status | undefined>,
): Promise<Answer<Status>> {
  const { process, errors } = wordsOf(instance)
  let silence = `the ${process} does not answer on its socket`
  try {
    const status = await ask()
    if (status) return { status, version: status.agent.version }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    if (error.code === errors.otherVersion)
      silence = `the ${process}’s answer can’t be read: most likely it is of another version`
  }
  // Empty in a record that it has not written itself yet.
  return { silence, version: readProcessRecord(instance)?.version || null }
}
