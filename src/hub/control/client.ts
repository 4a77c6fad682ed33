import type * as v from 'valibot'
import { askProcess, parseAnswer, unlessSilent, type Asked } from '../../control/ask-process.ts'
import { ConnectError } from '../../errors.ts'
import { monotonicMs } from '../../runtime/monotonic.ts'
import {
  AgentsReply,
  HubStatus,
  NOT_SAVED,
  NOT_THERE,
  NotSavedReply,
  TokensReply,
  type HubAgent,
} from './schema.ts'

/** What a hub that does not answer costs a command at the most, in ms. */
const TIMEOUT_MS = 3000

/** The same for what changes the hub: its disk may hang. */
const CHANGE_TIMEOUT_MS = 10_000

/**
 * @returns undefined if no hub listens
 * @throws ConnectError HUB_BUSY if one listens but doesn't answer, HUB_OTHER_VERSION if its answer can't be
 * read
 */
export function hubStatus(hub: Asked, timeoutMs = TIMEOUT_MS): Promise<HubStatus | undefined> {
  return ask(hub, { method: 'GET', path: '/v1/status', timeoutMs }, HubStatus)
}

/**
 * All machines that have joined a hub, in the order of their ids.
 *
 * @param timeoutMs for all of them together
 * @returns undefined if no hub listens
 * @throws ConnectError as hubStatus does
 */
export async function hubAgents(
  hub: Asked,
  timeoutMs = TIMEOUT_MS,
): Promise<readonly HubAgent[] | undefined> {
  const until = monotonicMs() + timeoutMs
  const agents: HubAgent[] = []
  for (let more = true; more;) {
    const last = agents.at(-1)
    const path = last ? `/v1/agents?after=${last.id}` : '/v1/agents'
    const left = Math.max(1, until - monotonicMs())
    const page = await ask(hub, { method: 'GET', path, timeoutMs: left }, AgentsReply)
    if (!page) return undefined
    agents.push(...page.agents)
    more = page.more && page.agents.length > 0
  }
  return agents
}

/**
 * The join tokens that are valid, the newest first: never the tokens themselves.
 *
 * @returns undefined if no hub listens
 * @throws ConnectError as hubStatus does
 */
export async function hubTokens(hub: Asked, timeoutMs: number): Promise<TokensReply['tokens'] | undefined> {
  const reply = await ask(hub, { method: 'GET', path: '/v1/tokens', timeoutMs }, TokensReply)
  return reply?.tokens
}

/**
 * Has a hub do something, or say what it alone knows.
 *
 * @returns undefined if no hub runs, or none answers that: it notices a change of its database by itself
 * @throws ConnectError WRITE_FAILED if it can't save what was asked, and has not done it; NO_SUCH_ENTRY
 */
export function requestHub<T>(
  hub: Asked,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  schema: v.GenericSchema<unknown, T>,
): Promise<T | undefined> {
  return unlessSilent(ask(hub, { method, path, timeoutMs: CHANGE_TIMEOUT_MS }, schema))
}

async function ask<T>(
  hub: Asked,
  request: Parameters<typeof askProcess>[1],
  schema: v.GenericSchema<unknown, T>,
): Promise<T | undefined> {
  const answer = await askProcess(hub, request)
  if (!answer) return undefined
  if (answer.status === NOT_THERE) throw new ConnectError('NO_SUCH_ENTRY', 'The hub knows nothing of that id')
  if (answer.status === NOT_SAVED) {
    const { reason } = parseAnswer(hub, answer, NotSavedReply)
    throw new ConnectError('WRITE_FAILED', `The hub can’t save it: ${reason}`)
  }
  // A hub of an older version answers with another status, and with no body that says more.
  return parseAnswer(hub, answer, schema)
}
