import type * as v from 'valibot'
import type { Instance } from '../config/instance.ts'
import { isErrorCode, type ErrorCode } from '../error-codes.ts'
import { ConnectError } from '../errors.ts'
import type { InstanceProcess } from './process-record.ts'
import { askProcess, parseAnswer, type Asked } from './ask-process.ts'
import { restartAdvice } from './restart-advice.ts'
import {
  AgentStatus,
  PortReply,
  ErrorReply,
  ExposeReply,
  Identified,
  KeepReply,
  OffersReply,
  UnexposeReply,
  UnreachReply,
  type ExposeRequest,
  type KeepRequest,
  type Offer,
  type TakeBackRequest,
} from './schema.ts'

/** What an agent or a hub that does not answer costs a command at the most, in ms. */
const TIMEOUT_MS = 3000

/** The same of a change: exposing waits for the hub's word, see hub-client/link/service-offers.ts. */
const CHANGE_TIMEOUT_MS = 15_000

/**
 * Which process listens, be it an agent or the hub.
 *
 * @returns undefined if none does
 */
export async function identityOf(
  instance: Instance,
  timeoutMs = TIMEOUT_MS,
): Promise<InstanceProcess | undefined> {
  return (await request(instance, 'GET', '/v1/status', Identified, { timeoutMs }))?.agent
}

/** @returns undefined if no agent listens */
export function agentStatus(instance: Instance, timeoutMs = TIMEOUT_MS): Promise<AgentStatus | undefined> {
  return request(instance, 'GET', '/v1/status', AgentStatus, { timeoutMs })
}

/**
 * What the workspace offers, as the agent hears it from its hub.
 *
 * @returns undefined if no agent listens, or it can't be asked: it doesn't answer, or is of another version
 * @throws ConnectError if the hub does not say
 */
export async function agentOffers(instance: Instance, timeoutMs: number): Promise<Offer[] | undefined> {
  try {
    return (await request(instance, 'GET', '/v1/offers', OffersReply, { timeoutMs }))?.offers
  } catch (error) {
    const isOfAgent = error instanceof ConnectError && UNASKED.has(error.code)
    if (isOfAgent) return undefined
    throw error
  }
}

/** BAD_VALUE says that there is no such path. */
const UNASKED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['AGENT_BUSY', 'AGENT_OTHER_VERSION', 'BAD_VALUE'])

/**
 * Whether the agent carries the connection that comes from this local port.
 *
 * @returns undefined if no agent listens
 */
export async function agentCarries(
  agent: Asked,
  port: number,
  timeoutMs = TIMEOUT_MS,
): Promise<PortReply | undefined> {
  try {
    return await request(agent, 'GET', `/v1/ports/${port}`, PortReply, { timeoutMs })
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== 'BAD_VALUE') throw error
    // An agent that was started before this path got its present name.
    return request(agent, 'GET', `/v1/carries/${port}`, PortReply, { timeoutMs })
  }
}

/**
 * @returns undefined if no agent listens
 * @throws ConnectError AGENT_OTHER_VERSION if it knows no such target, or what `request` throws
 */
export function exposeService(
  instance: Instance,
  name: string,
  target: ExposeRequest,
): Promise<ExposeReply | undefined> {
  const options = { body: JSON.stringify(target), timeoutMs: CHANGE_TIMEOUT_MS }
  const asked = request(instance, 'PUT', `/v1/services/${name}`, ExposeReply, options)
  return 'path' in target ? asked.catch((error: unknown) => explainOlderAgent(instance, error)) : asked
}

/** An agent of before fails on a target without a host, and says so in words of its own. */
function explainOlderAgent(instance: Instance, error: unknown): never {
  const isRefused = error instanceof ConnectError && error.code === 'HUB_ERROR'
  if (!isRefused || !error.message.startsWith('Invalid ')) throw error
  const message = 'The agent that runs is of a version that knows no Unix sockets'
  throw olderAgent(instance, message, error)
}

function olderAgent(instance: Instance, message: string, cause: unknown): ConnectError {
  return new ConnectError('AGENT_OTHER_VERSION', message, { hints: [restartAdvice(instance)], cause })
}

/** @returns undefined if no agent listens */
export function unexposeService(
  instance: Instance,
  name: string,
  wish: TakeBackRequest,
): Promise<UnexposeReply | undefined> {
  const options = { body: JSON.stringify(wish), timeoutMs: CHANGE_TIMEOUT_MS }
  return request(instance, 'DELETE', `/v1/services/${name}`, UnexposeReply, options)
}

/** @returns undefined if no agent listens @throws ConnectError AGENT_OTHER_VERSION if it keeps no reaches */
export function keepReach(
  instance: Instance,
  name: string,
  wish: KeepRequest,
): Promise<KeepReply | undefined> {
  return changeReach(instance, 'PUT', name, KeepReply, wish)
}

/** @returns undefined if no agent listens @throws ConnectError AGENT_OTHER_VERSION if it keeps no reaches */
export function takeBackReach(
  instance: Instance,
  name: string,
  wish: TakeBackRequest,
): Promise<UnreachReply | undefined> {
  return changeReach(instance, 'DELETE', name, UnreachReply, wish)
}

async function changeReach<T>(
  instance: Instance,
  method: 'PUT' | 'DELETE',
  name: string,
  schema: v.GenericSchema<unknown, T>,
  wish: KeepRequest | TakeBackRequest,
): Promise<T | undefined> {
  const options = { body: JSON.stringify(wish), timeoutMs: CHANGE_TIMEOUT_MS }
  const path = `/v1/reaches/${name}`
  try {
    return await request(instance, method, path, schema, options)
  } catch (error) {
    if (!(error instanceof ConnectError) || error.message !== `There is no ${method} ${path}`) throw error
    const message = 'The agent that runs is of a version that keeps no reaches'
    throw olderAgent(instance, message, error)
  }
}

/**
 * @returns undefined if no process listens
 * @throws ConnectError as askProcess and parseAnswer; what the agent refuses with
 */
async function request<T>(
  asked: Asked,
  method: string,
  path: string,
  schema: v.GenericSchema<unknown, T>,
  options: { body?: string; timeoutMs: number },
): Promise<T | undefined> {
  const answer = await askProcess(asked, { method, path, ...options })
  if (answer === undefined) return undefined
  if (answer.status === 200) return parseAnswer(asked, answer, schema)
  const { code, message } = parseAnswer(asked, answer, ErrorReply).error
  throw new ConnectError(isErrorCode(code) ? code : 'HUB_ERROR', message)
}
