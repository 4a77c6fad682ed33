import { createHash } from 'node:crypto'
import type { PublicKey } from './handshake.ts'

/**
 * An agent is named for its key (RFC 7638 thumbprint, shortened), so that an id can't be claimed without the
 * key, and is the same whichever hub the agent joins.
 */
export function agentIdOf({ crv, kty, x }: PublicKey): string {
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x }))
  return `agent_${thumbprint.digest('hex').slice(0, 16)}`
}
