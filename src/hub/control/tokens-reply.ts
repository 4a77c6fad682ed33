import type { JoinToken } from '../store/join-token.ts'
import { MAX_TOKENS, type AllTokensReply, type HubToken, type TokensReply } from './schema.ts'

/** Join tokens as they are told of on the hub's machine. */
export function tokensReply(tokens: readonly JoinToken[]): TokensReply {
  return {
    tokens: tokens.map(({ id, usesLeft, expiresAt }) => ({
      id,
      usesLeft,
      expiresAt: new Date(expiresAt).toISOString(),
    })),
  }
}

/**
 * Some of a hub's join tokens, whatever state they are in, as agentsPage tells of machines.
 *
 * @param after those behind this id; without it from the first one on
 */
export function tokensPage(tokens: readonly JoinToken[], after: string | undefined): AllTokensReply {
  const behind = tokens.filter(({ id }) => after === undefined || id > after)
  const page = behind.toSorted((one, other) => (one.id < other.id ? -1 : 1)).slice(0, MAX_TOKENS)
  return { tokens: page.map(hubToken), more: behind.length > page.length }
}

/** A join token as lists tell of it. */
export function hubToken({ id, state, usesLeft, createdAt, expiresAt }: JoinToken): HubToken {
  return {
    id,
    state,
    usesLeft,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  }
}
