import { existsSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../../errors.ts'
import { loadSqlite, type SQLOutputValue } from '../../files/sqlite.ts'
import type { PublicKey } from '../../tunnel/protocol/handshake.ts'
import { HeldDatabase } from './held-database.ts'
import { hashOf, joinTokenOf, makeJoinToken, type JoinToken } from './join-token.ts'
import { replaceContents } from './replace-contents.ts'
import { allowPortless, WORKSPACE, type Mark } from './schema.ts'
import { inTransaction } from './transaction.ts'

/** A machine that has joined. */
export interface Agent {
  readonly id: string
  readonly workspace: string
  readonly key: PublicKey
  readonly label: string
  /** ms since 1970 */
  readonly joinedAt: number
  readonly revoked: boolean
  /** When a link of it was up, as far as that is known, in ms since 1970; saved now and then. */
  readonly lastSeen?: number | undefined
}

/** A name that an agent has claimed; it stays the agent's while it is offline. */
export interface ClaimedService {
  readonly workspace: string
  readonly name: string
  readonly agent: string
  /** undefined for one that has none. */
  readonly port?: number | undefined
}

/** What a machine brings to join, and what the database may not know yet. */
export interface JoinTry {
  readonly token: string
  readonly agent: string
  readonly key: PublicKey
  readonly label: string
  /** The agent has logged out, and that may not be saved yet. */
  readonly isAfresh?: boolean
  /** Ids of join tokens that were revoked, which may not be saved yet. */
  readonly revokedTokens?: readonly string[]
  /** ms since 1970, default now */
  readonly now?: number
}

export interface TokenOptions {
  /** From now, in ms. */
  readonly ttlMs: number
  /** How many machines may join with it. */
  readonly uses: number
  /** ms since 1970, default now */
  readonly now?: number
}

/** A join token for its bearer, and the id that it is spoken of by. */
export interface MadeToken {
  readonly id: string
  readonly token: string
  /** ms since 1970 */
  readonly expiresAt: number
}

/** What a hub that starts needs to know. */
export interface Snapshot {
  readonly hubId: string
  readonly agents: Agent[]
  readonly services: ClaimedService[]
}

/** @throws ConnectError HUB_DATA_MISSING */
export function requireData(folder: string): void {
  if (existsSync(path.join(folder, 'hub.db'))) return
  throw new ConnectError('HUB_DATA_MISSING', `There is no hub’s data in ${folder}`)
}

/** What is in a hub's database. Synchronous: a running hub calls it in a thread, see store-thread.ts. */
export class Store extends HeldDatabase {
  /**
   * @param options.existing a folder without a database is an error, not a new hub
   * @throws ConnectError WRITE_FAILED, HUB_DATA_DAMAGED, HUB_DATA_MISSING
   */
  static async open(folder: string, options: { existing?: boolean } = {}): Promise<Store> {
    if (options.existing) requireData(folder)
    return new Store(await loadSqlite(), folder)
  }

  createToken(options: TokenOptions): MadeToken {
    const now = options.now ?? Date.now()
    const expiresAt = now + options.ttlMs
    const { id, token, hash } = makeJoinToken()
    this.#change(() =>
      this.prepared(
        `INSERT INTO join_tokens (id, workspace, hash, created_at, expires_at, uses_left) VALUES (?, ?, ?, ?, ?, ?)`,
      ).run(id, WORKSPACE, hash, now, expiresAt, options.uses),
    )
    return { id, token, expiresAt }
  }

  tokens(now = Date.now()): JoinToken[] {
    return this.prepared('SELECT * FROM join_tokens ORDER BY created_at, rowid')
      .all()
      .map((row) => joinTokenOf(row, now))
  }

  /**
   * Of a token, and not of its id: only its bearer is told.
   *
   * @param revoked see JoinTry.revokedTokens
   * @returns undefined if there is no such token
   */
  tokenState(token: string, revoked: readonly string[] = []): JoinToken['state'] | undefined {
    const row = this.prepared('SELECT * FROM join_tokens WHERE hash = ?').get(hashOf(token))
    return row && joinTokenOf(row, Date.now(), revoked).state
  }

  /** @returns false if there is no such token */
  revokeToken(id: string): boolean {
    return this.#change(() => this.#revoke('join_tokens', id))
  }

  /**
   * Revokes all join tokens of a database that is older than what was saved: used and revoked ones would be
   * valid in it again.
   *
   * @param since the generation that was saved
   */
  revokeTokens(since: number): void {
    this.#change(() => {
      this.prepared('UPDATE join_tokens SET revoked_at = coalesce(revoked_at, ?)').run(Date.now())
      this.prepared('UPDATE hub SET generation = max(generation, ?)').run(since)
    })
  }

  /** The agent's names are free from then on. @returns false if there is no such agent */
  revokeAgent(id: string): boolean {
    return this.#change(() => {
      this.prepared('DELETE FROM services WHERE agent = ?').run(id)
      return this.#revoke('agents', id)
    })
  }

  agents(): Agent[] {
    return this.prepared('SELECT * FROM agents ORDER BY joined_at, rowid').all().map(agentOf)
  }

  snapshot(): Snapshot {
    const services = this.prepared('SELECT * FROM services')
      .all()
      .map((row) => ({
        workspace: String(row.workspace),
        name: String(row.name),
        agent: String(row.agent),
        port: row.port === null ? undefined : Number(row.port),
      }))
    return { hubId: this.mark.id, agents: this.agents(), services }
  }

  /**
   * Spends one use of a join token and registers the key. A key that is registered already joins without
   * spending anything: the answer to its first request may have been lost on the way.
   *
   * @returns undefined if the token is unknown, used up, expired or revoked, or the key was revoked
   */
  join(request: JoinTry): Agent | undefined {
    const { agent, token, key, label, isAfresh = false, revokedTokens = [], now = Date.now() } = request
    return this.#change(() => {
      const known = isAfresh ? undefined : this.prepared('SELECT * FROM agents WHERE id = ?').get(agent)
      if (known) return known.revoked_at === null ? agentOf(known) : undefined
      const row = this.prepared('SELECT * FROM join_tokens WHERE hash = ?').get(hashOf(token))
      if (!row || joinTokenOf(row, now, revokedTokens).state !== 'valid') return undefined
      // Only now: the removal of one that is refused is still to be saved, and that it was revoked with it.
      if (isAfresh) this.#remove(agent)
      this.prepared('UPDATE join_tokens SET uses_left = uses_left - 1 WHERE id = ?').run(row.id!)
      const joined = this.prepared(
        'INSERT INTO agents (id, workspace, public_key, label, joined_at) VALUES (?, ?, ?, ?, ?) RETURNING *',
      ).get(agent, String(row.workspace), key.x, label, now)
      this.prepared('DELETE FROM removed_revoked WHERE id = ?').run(agent)
      return agentOf(joined!)
    })
  }

  /**
   * Keeps what an agent is called, and all that it has claimed, in place of what was there. A name goes to
   * the agent that is written last: which one may have it is decided before.
   *
   * @returns false if there is no such agent, or it was revoked; then nothing is kept
   */
  setAgent(id: string, label: string, services: readonly ClaimedService[]): boolean {
    return this.#change(() => {
      const { changes } = this.prepared(
        'UPDATE agents SET label = ? WHERE id = ? AND revoked_at IS NULL',
      ).run(label, id)
      if (changes === 0) return false
      this.prepared('DELETE FROM services WHERE agent = ?').run(id)
      const insert = this.prepared(
        'INSERT OR REPLACE INTO services (workspace, name, agent, port) VALUES (?, ?, ?, ?)',
      )
      if (services.some(({ port }) => port === undefined)) allowPortless(this.database)
      for (const { workspace, name, port } of services) insert.run(workspace, name, id, port ?? null)
      return true
    })
  }

  /**
   * Forgets an agent, and its names; not that it was revoked, for a backup from before that is restored.
   *
   * @param isRevoked it was, which may not be saved yet
   * @returns false if there is no such agent
   */
  removeAgent(agent: string, isRevoked = false): boolean {
    return this.#change(() => {
      this.prepared(
        'INSERT OR IGNORE INTO removed_revoked SELECT id FROM agents WHERE id = ? AND (? OR revoked_at IS NOT NULL)',
      ).run(agent, Number(isRevoked))
      return this.#remove(agent)
    })
  }

  #remove(agent: string): boolean {
    return this.prepared('DELETE FROM agents WHERE id = ?').run(agent).changes > 0
  }

  /** Keeps when links of agents were up. That is no change of what counts: it makes no generation. */
  setSeen(seen: ReadonlyMap<string, number>): void {
    inTransaction(this.database, () => {
      const update = this.prepared('UPDATE agents SET last_seen = ? WHERE id = ?')
      for (const [id, time] of seen) update.run(time, id)
    })
  }

  /** See HeldDatabase; for who asks from another thread. */
  readMark(): Mark {
    return this.mark
  }

  /**
   * Puts all that is in another hub's database in the place of what is in this one, or nothing of it. What
   * join tokens could do in the meantime nobody knows, so all are revoked; and so are the agents that this
   * one knows to be.
   *
   * @param file of a database that a Store has opened before, and nobody has open
   */
  replaceWith(file: string): void {
    this.prepared('ATTACH ? AS other').run(file)
    try {
      this.#change(() => replaceContents(this.database, 'other'))
    } finally {
      this.database.exec('DETACH other')
    }
  }

  /** Does all of the work, or nothing of it. What has changed something is another generation. */
  #change<T>(work: () => T): T {
    return inTransaction(this.database, () => {
      const before = this.#changes()
      const result = work()
      // A refused join writes nothing, so that nobody has the disk work by that.
      if (this.#changes() !== before) this.prepared('UPDATE hub SET generation = generation + 1').run()
      return result
    })
  }

  #changes(): number {
    return Number(this.prepared('SELECT total_changes() AS changes').get()!.changes)
  }

  #revoke(table: 'agents' | 'join_tokens', id: string): boolean {
    const { changes } = this.prepared(
      `UPDATE ${table} SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?`,
    ).run(Date.now(), id)
    return changes > 0
  }
}

function agentOf(row: Record<string, SQLOutputValue>): Agent {
  return {
    id: String(row.id),
    workspace: String(row.workspace),
    key: { kty: 'OKP', crv: 'Ed25519', x: String(row.public_key) },
    label: String(row.label),
    joinedAt: Number(row.joined_at),
    revoked: row.revoked_at !== null,
    lastSeen: row.last_seen === null ? undefined : Number(row.last_seen),
  }
}
