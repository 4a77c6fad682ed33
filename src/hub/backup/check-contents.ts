import * as v from 'valibot'
import { AgentId } from '../../config/agent-id.ts'
import { ServiceName } from '../../config/service-name.ts'
import type { DatabaseSync } from '../../files/sqlite.ts'
import { agentIdOf } from '../../tunnel/protocol/agent-id.ts'
import { HubId, Label, Port, PublicKey } from '../../tunnel/protocol/handshake.ts'
import { TABLES, WORKSPACE } from '../store/schema.ts'
import { isAuthority } from './authority.ts'
import type { Contents } from './notes.ts'

/** Ms since 1970, as far as a Date goes (ECMA-262, Time Values). */
const Time = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(8.64e15))
const Workspace = v.literal(WORKSPACE)

/** No hub has changed so much, and each has room for more. */
const MAX_GENERATION = 2 ** 52

const ROWS = {
  hub: v.object({
    id: HubId,
    generation: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MAX_GENERATION)),
  }),
  workspaces: v.object({ id: Workspace }),
  join_tokens: v.object({
    id: v.pipe(v.string(), v.regex(/^jt_[0-9a-f]{8}$/)),
    workspace: Workspace,
    hash: v.pipe(v.instance(Uint8Array), v.length(32)),
    created_at: Time,
    expires_at: Time,
    uses_left: v.pipe(v.number(), v.safeInteger()),
    revoked_at: v.nullable(Time),
  }),
  agents: v.pipe(
    v.object({
      id: AgentId,
      workspace: Workspace,
      public_key: PublicKey.entries.x,
      label: Label,
      joined_at: Time,
      revoked_at: v.nullable(Time),
      last_seen: v.nullable(Time),
    }),
    v.check(({ id, public_key: x }) => agentIdOf({ kty: 'OKP', crv: 'Ed25519', x }) === id),
  ),
  services: v.object({ workspace: Workspace, name: ServiceName, agent: AgentId, port: v.nullable(Port) }),
  removed_revoked: v.object({ id: AgentId }),
} satisfies Record<(typeof TABLES)[number], v.GenericSchema>

/**
 * What a hub believes of its own database it can't of a file that comes from elsewhere: someone may have made
 * it who means harm, or a disk that turns bits.
 *
 * @param database of our tables
 * @throws Error if there is something in it that no hub writes
 */
export function checkRows(database: DatabaseSync): void {
  for (const table of TABLES) {
    const rows = database.prepare(`SELECT * FROM ${table}`).all()
    const isOfHub = table !== 'hub' || rows.length === 1
    if (!isOfHub || !rows.every((row) => v.is(ROWS[table], row)))
      throw new Error(`its table ${table} has something in it that no hub writes`)
  }
}

/** @throws Error as checkRows */
export function checkNotes({ madeAt, authority }: Contents): void {
  if (!v.is(v.optional(Time), madeAt)) throw new Error('it was made on no day that there is')
  if (authority !== undefined && !isAuthority(authority))
    throw new Error('the authority of the hub’s own in it is damaged')
}
