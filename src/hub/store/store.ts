import { closeSync, constants, existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../../errors.ts'
import { openOurs } from '../../files/open-ours.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { loadSqlite, type DatabaseSync, type SQLOutputValue, type StatementSync } from '../../files/sqlite.ts'
import type { PublicKey } from '../../tunnel/protocol/handshake.ts'
import { DatabaseFiles } from './database-files.ts'
import { hashOf, joinTokenOf, makeJoinToken, type JoinToken } from './join-token.ts'
import { restOf, settledState, type Rest } from './rest.ts'
import { allowPortless, hubIn, migrate, WORKSPACE } from './schema.ts'
import { cannotOpen, OVERWRITTEN, StoreError, storageError } from './store-error.ts'
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

/** What a hub that starts needs to know. */
export interface Snapshot {
  readonly hubId: string
  readonly agents: Agent[]
  readonly services: ClaimedService[]
}

/** The hub's database. Synchronous: the running hub calls it in a worker thread, see store-thread.ts. */
export class Store {
  readonly #file: string
  readonly #open: () => DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #database: DatabaseSync
  /** Known from the first hold() on. */
  #files: DatabaseFiles | undefined

  /** @param open opens the database once more */
  private constructor(file: string, open: () => DatabaseSync) {
    this.#file = file
    this.#open = open
    this.#database = open()
  }

  /**
   * @param options.existing a folder without a database is an error, not a new hub
   * @throws ConnectError WRITE_FAILED, HUB_DATA_DAMAGED, HUB_DATA_MISSING
   */
  static async open(folder: string, options: { existing?: boolean } = {}): Promise<Store> {
    if (options.existing && !existsSync(path.join(folder, 'hub.db'))) {
      throw new ConnectError('HUB_DATA_MISSING', `There is no hub’s data in ${folder}`)
    }
    return Store.openWith(await loadSqlite(), folder)
  }

  /**
   * @param hubId whose it is; default: anyone's, and where there is none it is made
   * @throws ConnectError WRITE_FAILED, HUB_DATA_DAMAGED
   * @throws StoreError if it is another hub's, or nobody's
   */
  static openWith(
    { DatabaseSync }: Awaited<ReturnType<typeof loadSqlite>>,
    folder: string,
    hubId?: string,
  ): Store {
    const file = path.join(folder, 'hub.db')
    ensurePrivateFolder(folder)
    try {
      // SQLite would make it 0644; its journal files take the mode of this one.
      closeSync(openOurs(file, constants.O_CREAT | constants.O_RDWR))
      const store = new Store(file, () => openDatabase(DatabaseSync, file))
      try {
        // Damage is found now, and not when the hub has run for a week.
        store.check()
        if (hubId !== undefined && hubIn(store.#database) !== hubId) throw storageError(OVERWRITTEN)
        migrate(store.#database)
        return store
      } catch (error) {
        store.close()
        throw error
      }
    } catch (error) {
      throw error instanceof StoreError ? error : cannotOpen(file, error)
    }
  }

  /**
   * Sees to it that what is written is where a hub that starts will look for it: files of the database that
   * were deleted are written anew. What someone has put in their place is left as it is.
   *
   * @returns whether some were deleted
   * @throws StoreError, the system's error, or SQLite's if the files are not as they should be
   */
  hold(): boolean {
    this.#files ??= new DatabaseFiles(this.#file)
    if (!this.#files.areMissing()) return false
    this.#files.writeAnew(this.#database)
    const before = this.#database
    this.#database = this.#open()
    this.#statements.clear()
    this.#files = undefined
    before.close()
    this.check()
    return true
  }

  /**
   * Brings all that is written into the one file of the database, as far as nobody else stands in the way.
   *
   * @returns the state of that file; undefined if it is not all yet, or not for long enough
   */
  settle(): string | undefined {
    // Unlike the other kinds it waits for nobody (https://sqlite.org/pragma.html#pragma_wal_checkpoint).
    const { log, checkpointed } = this.#prepared('PRAGMA wal_checkpoint(PASSIVE)').get()!
    return log === checkpointed ? settledState(this.#file) : undefined
  }

  /**
   * Closes the database.
   *
   * @param state what `settle` has said before the last look at what is in it
   * @param held how it was left the last time
   * @throws StoreError, or the system's error; then it is open as before
   */
  rest(state: string, held?: Rest): Rest {
    const rest = restOf(realpathSync(this.#file), state, hubIn(this.#database)!, held)
    this.#database.close()
    return rest
  }

  /** @throws Error if the database is damaged, or can't be read */
  check(): void {
    const verdict = this.#database.prepare('PRAGMA quick_check(1)').get()!.quick_check
    if (verdict !== 'ok') throw new Error(String(verdict))
  }

  close(): void {
    this.#database.close()
  }

  /** @param options.ttlMs from now; @param options.uses how many machines may join with it */
  createToken(options: { ttlMs: number; uses: number; now?: number }): { id: string; token: string } {
    const now = options.now ?? Date.now()
    const { id, token, hash } = makeJoinToken()
    this.#prepared(
      `INSERT INTO join_tokens (id, workspace, hash, created_at, expires_at, uses_left) VALUES (?, ?, ?, ?, ?, ?)`,
    ).run(id, WORKSPACE, hash, now, now + options.ttlMs, options.uses)
    return { id, token }
  }

  tokens(now = Date.now()): JoinToken[] {
    return this.#prepared('SELECT * FROM join_tokens ORDER BY created_at, rowid')
      .all()
      .map((row) => joinTokenOf(row, now))
  }

  /** @returns false if there is no such token */
  revokeToken(id: string): boolean {
    return this.#revoke('join_tokens', id)
  }

  /** The agent's names are free from then on. @returns false if there is no such agent */
  revokeAgent(id: string): boolean {
    return inTransaction(this.#database, () => {
      this.#prepared('DELETE FROM services WHERE agent = ?').run(id)
      return this.#revoke('agents', id)
    })
  }

  agents(): Agent[] {
    return this.#prepared('SELECT * FROM agents ORDER BY joined_at, rowid').all().map(agentOf)
  }

  snapshot(): Snapshot {
    const services = this.#prepared('SELECT * FROM services')
      .all()
      .map((row) => ({
        workspace: String(row.workspace),
        name: String(row.name),
        agent: String(row.agent),
        port: row.port === null ? undefined : Number(row.port),
      }))
    return { hubId: hubIn(this.#database)!, agents: this.agents(), services }
  }

  /**
   * Spends one use of a join token and registers the key. A key that is registered already joins without
   * spending anything: the answer to its first request may have been lost on the way.
   *
   * @returns undefined if the token is unknown, used up, expired or revoked, or the key was revoked
   */
  join(request: JoinTry): Agent | undefined {
    const { agent, token, key, label, isAfresh = false, revokedTokens = [], now = Date.now() } = request
    return inTransaction(this.#database, () => {
      if (isAfresh) this.removeAgent(agent)
      const known = this.#prepared('SELECT * FROM agents WHERE id = ?').get(agent)
      if (known) return known.revoked_at === null ? agentOf(known) : undefined
      const row = this.#prepared('SELECT * FROM join_tokens WHERE hash = ?').get(hashOf(token))
      if (!row || joinTokenOf(row, now, revokedTokens).state !== 'valid') return undefined
      this.#prepared('UPDATE join_tokens SET uses_left = uses_left - 1 WHERE id = ?').run(row.id!)
      const joined = this.#prepared(
        'INSERT INTO agents (id, workspace, public_key, label, joined_at) VALUES (?, ?, ?, ?, ?) RETURNING *',
      ).get(agent, String(row.workspace), key.x, label, now)
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
    return inTransaction(this.#database, () => {
      const { changes } = this.#prepared(
        'UPDATE agents SET label = ? WHERE id = ? AND revoked_at IS NULL',
      ).run(label, id)
      if (changes === 0) return false
      this.#prepared('DELETE FROM services WHERE agent = ?').run(id)
      const insert = this.#prepared(
        'INSERT OR REPLACE INTO services (workspace, name, agent, port) VALUES (?, ?, ?, ?)',
      )
      if (services.some(({ port }) => port === undefined)) allowPortless(this.#database)
      for (const { workspace, name, port } of services) insert.run(workspace, name, id, port ?? null)
      return true
    })
  }

  /** Forgets an agent that has logged out, and its names. */
  removeAgent(agent: string): void {
    this.#prepared('DELETE FROM agents WHERE id = ?').run(agent)
  }

  /** Another number whenever another connection has changed the database (PRAGMA data_version of SQLite). */
  dataVersion(): number {
    return Number(this.#prepared('PRAGMA data_version').get()!.data_version)
  }

  /** @returns the statement, prepared once: compiling one costs more than running it */
  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #revoke(table: 'agents' | 'join_tokens', id: string): boolean {
    const { changes } = this.#prepared(
      `UPDATE ${table} SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?`,
    ).run(Date.now(), id)
    return changes > 0
  }
}

/** @param Database node:sqlite's class, which is loaded when it is needed */
function openDatabase(Database: typeof DatabaseSync, file: string): DatabaseSync {
  const database = new Database(file, { timeout: 5000, enableForeignKeyConstraints: true })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    return database
  } catch (error) {
    database.close()
    throw error
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
  }
}
