import { createHash, randomBytes } from 'node:crypto'
import type { SQLOutputValue } from '../../files/sqlite.ts'

/** A join token as it may be shown: the token itself is known to nobody but its bearer. */
export interface JoinToken {
  readonly id: string
  /** ms since 1970 */
  readonly createdAt: number
  /** ms since 1970 */
  readonly expiresAt: number
  readonly usesLeft: number
  /** A machine may join with one that is valid, and with no other. */
  readonly state: 'valid' | 'used up' | 'expired' | 'revoked'
}

/** @returns a new token for its bearer, the id that it is spoken of by, and the hash that is kept of it */
export function makeJoinToken(): { id: string; token: string; hash: Buffer } {
  const token = `tok_${randomBytes(20).toString('hex')}`
  return { id: `jt_${randomBytes(4).toString('hex')}`, token, hash: hashOf(token) }
}

/** A join token has 160 random bits, so one round of SHA-256 is enough to keep it secret at rest. */
export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/**
 * @param row of the table join_tokens
 * @param now ms since 1970
 * @param unsaved ids of tokens that were revoked, which may not be saved yet
 */
export function joinTokenOf(
  row: Record<string, SQLOutputValue>,
  now: number,
  unsaved: readonly string[] = [],
): JoinToken {
  const id = String(row.id)
  const expiresAt = Number(row.expires_at)
  const usesLeft = Number(row.uses_left)
  const isRevoked = row.revoked_at !== null || unsaved.includes(id)
  const state = isRevoked ? 'revoked' : usesLeft === 0 ? 'used up' : expiresAt <= now ? 'expired' : 'valid'
  return { id, createdAt: Number(row.created_at), expiresAt, usesLeft, state }
}
