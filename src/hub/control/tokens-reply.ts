import type { JoinToken } from '../store/join-token.ts'
import type { TokensReply } from './schema.ts'

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
