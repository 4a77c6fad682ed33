import type * as v from 'valibot'
import { askProcess, parseAnswer, unlessSilent, type Asked } from '../../control/ask-process.ts'
import { ConnectError } from '../../errors.ts'
import { monotonicMs } from '../../runtime/monotonic.ts'
import {
  AgentsReply,
  AllTokensReply,
  HubStatus,
  NOT_SAVED,
  NOT_THERE,
  NotSavedReply,
  TokensReply,
  type HubAgent,
  type HubToken,
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
export function hubAgents(hub: Asked, timeoutMs = TIMEOUT_MS): Promise<readonly HubAgent[] | undefined> {
  return allPages(timeoutMs, '/v1/agents', async (path, left) => {
    const page = await ask(hub, { method: 'GET', path, timeoutMs: left }, AgentsReply)
    return page && { entries: page.agents, more: page.more }
  })
}

/**
 * All join tokens that a hub knows, whatever state they are in, in the order of their ids.
 *
 * @returns undefined if no hub listens
 * @throws ConnectError as hubStatus does; WRITE_FAILED if its database can't be read
 */
export function allHubTokens(hub: Asked): Promise<readonly HubToken[] | undefined> {
  return allPages(TIMEOUT_MS, '/v1/tokens/all', async (path, left) => {
    const page = await ask(hub, { method: 'GET', path, timeoutMs: left }, AllTokensReply)
    return page && { entries: page.tokens, more: page.more }
  })
}

/** @param timeoutMs for all pages together */
async function allPages<T extends { readonly id: string }>(
  timeoutMs: number,
  path: string,
  pageAt: (path: string, leftMs: number) => Promise<{ entries: readonly T[]; more: boolean } | undefined>,
): Promise<readonly T[] | undefined> {
  const until = monotonicMs() + timeoutMs
  const all: T[] = []
  for (let more = true; more;) {
    const last = all.at(-1)
    const left = until - monotonicMs()
    // What listens may answer for ever, each time at once.
    if (left <= 0) throw new ConnectError('HUB_BUSY', 'The hub does not come to an end')
    const page = await pageAt(last ? `${path}?after=${last.id}` : path, Math.ceil(left))
    if (!page) return undefined
    if (page.entries.some(({ id }, at) => id <= (page.entries[at - 1] ?? last ?? { id: '' }).id))
      throw new ConnectError('HUB_OTHER_VERSION', 'The hub lists them in no order')
    all.push(...page.entries)
    more = page.more && page.entries.length > 0
  }
  return all
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
    const what = request.method === 'GET' ? 'read its database' : 'save it'
    throw new ConnectError('WRITE_FAILED', `The hub can’t ${what}: ${reason}`)
  }
  // A hub of an older version answers with another status, and with no body that says more.
  return parseAnswer(hub, answer, schema)
}
