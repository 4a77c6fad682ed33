import * as v from 'valibot'
import type { Instance } from '../../config/instance.ts'
import { ConnectError, messageOf } from '../../errors.ts'
import { requestLocally, type LocalAnswer } from '../../net/local/request.ts'
import { AgentsReply, HubStatus, type HubAgent } from './schema.ts'

/** Where a hub listens for commands. */
type HubSocket = Pick<Instance, 'socketPath'>

/** What a hub that does not answer costs a command at the most, in ms. */
const TIMEOUT_MS = 3000

/**
 * @returns undefined if no hub listens
 * @throws ConnectError HUB_BUSY if one listens but doesn't answer, HUB_OTHER_VERSION if its answer can't be
 * read
 */
export function hubStatus(hub: HubSocket, timeoutMs = TIMEOUT_MS): Promise<HubStatus | undefined> {
  return ask(hub, '/v1/status', HubStatus, timeoutMs)
}

/**
 * All machines that have joined a hub, in the order of their ids.
 *
 * @param timeoutMs for all of them together
 * @returns undefined if no hub listens
 * @throws ConnectError as hubStatus does
 */
export async function hubAgents(
  hub: HubSocket,
  timeoutMs = TIMEOUT_MS,
): Promise<readonly HubAgent[] | undefined> {
  const until = performance.now() + timeoutMs
  const agents: HubAgent[] = []
  for (let more = true; more;) {
    const last = agents.at(-1)
    const path = last ? `/v1/agents?after=${last.id}` : '/v1/agents'
    const page = await ask(hub, path, AgentsReply, Math.max(1, until - performance.now()))
    if (!page) return undefined
    agents.push(...page.agents)
    more = page.more && page.agents.length > 0
  }
  return agents
}

async function ask<T>(
  { socketPath }: HubSocket,
  path: string,
  schema: v.GenericSchema<unknown, T>,
  timeoutMs: number,
): Promise<T | undefined> {
  let answer: LocalAnswer | undefined
  try {
    answer = await requestLocally({ socketPath, method: 'GET', path, timeoutMs })
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
    const why = isTimeout ? '' : `: ${messageOf(error)}`
    throw new ConnectError('HUB_BUSY', `The hub does not answer${why}`, { cause: error })
  }
  if (!answer) return undefined
  try {
    // A hub of an older version answers with another status, and with no body that says more.
    return v.parse(schema, JSON.parse(answer.text))
  } catch (error) {
    const message = 'The hub that runs gave an answer that this version can’t read'
    throw new ConnectError('HUB_OTHER_VERSION', message, { cause: error })
  }
}
