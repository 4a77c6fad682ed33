import { randomBytes } from 'node:crypto'
import { ERRORS } from '../../error-codes.ts'
import { ConnectError } from '../../errors.ts'
import type { DatabaseSync } from '../../files/sqlite.ts'
import { inTransaction } from './transaction.ts'

/** The tables as they are made. */
const VERSION = 1

/** The same, and a service may have no port. Versions of before refuse such a database. */
const PORTLESS_VERSION = 2

/** The only workspace of this version. */
export const WORKSPACE = 'default'

/** What versions of before have not made, and don't mind: how to tell that it is there, and to make it. */
const ADDITIONS = [
  // How often the database was changed.
  {
    has: `SELECT 1 FROM pragma_table_info('hub') WHERE name = 'generation'`,
    make: 'ALTER TABLE hub ADD COLUMN generation INTEGER NOT NULL DEFAULT 0',
  },
  // When a link of the agent was up.
  {
    has: `SELECT 1 FROM pragma_table_info('agents') WHERE name = 'last_seen'`,
    make: 'ALTER TABLE agents ADD COLUMN last_seen INTEGER',
  },
  // The agents that were revoked and then removed: a backup may have them from before.
  {
    has: `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'removed_revoked'`,
    make: 'CREATE TABLE removed_revoked (id TEXT PRIMARY KEY) STRICT',
  },
]

/** All tables; each refers to those that stand before it. */
export const TABLES = ['hub', 'workspaces', 'join_tokens', 'agents', 'services', 'removed_revoked'] as const

const servicesTable = (port: 'INTEGER NOT NULL' | 'INTEGER') => `
  CREATE TABLE services (
    workspace TEXT NOT NULL REFERENCES workspaces(id),
    name TEXT NOT NULL,
    agent TEXT NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    port ${port},
    PRIMARY KEY (workspace, name)
  ) STRICT;
`

const SCHEMA = `
  CREATE TABLE workspaces (id TEXT PRIMARY KEY) STRICT;
  CREATE TABLE join_tokens (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces(id),
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
    revoked_at INTEGER
  ) STRICT;
  CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL REFERENCES workspaces(id),
    public_key TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) STRICT;
  ${servicesTable('INTEGER NOT NULL')}
  CREATE TABLE hub (id TEXT NOT NULL) STRICT;
`

/** Which state of which hub's database it is. */
export interface Mark {
  readonly id: string
  /** Grows with each change. */
  readonly generation: number
}

/**
 * Makes the tables of a database that has none, and what a version of before has not made. Otherwise it only
 * reads, so that no lock is in its way.
 *
 * @throws ConnectError HUB_DATA_DAMAGED if a newer version has written it
 */
export function migrate(database: DatabaseSync): void {
  if (isMigrated(database)) return
  inTransaction(database, () => {
    // Another process may have done it meanwhile.
    if (isMigrated(database)) return
    if (versionOf(database) === 0) makeTables(database)
    for (const { make } of missingIn(database)) database.exec(make)
  })
}

function makeTables(database: DatabaseSync): void {
  database.exec(SCHEMA)
  database.prepare('INSERT INTO workspaces (id) VALUES (?)').run(WORKSPACE)
  database.prepare('INSERT INTO hub (id) VALUES (?)').run(`hub_${randomBytes(8).toString('hex')}`)
  database.exec(`PRAGMA user_version = ${VERSION}`)
}

/**
 * Makes room for services without a port, in the caller's transaction. Only once there is one: until then a
 * hub that runs, or is brought back, in a version of before can go on with the database.
 */
export function allowPortless(database: DatabaseSync): void {
  if (allowsPortless(database)) return
  // SQLite can't take back NOT NULL (https://sqlite.org/lang_altertable.html#otheralter).
  database.exec(`
    ALTER TABLE services RENAME TO services_before;
    ${servicesTable('INTEGER')}
    INSERT INTO services SELECT workspace, name, agent, port FROM services_before;
    DROP TABLE services_before;
    PRAGMA user_version = ${PORTLESS_VERSION};
  `)
}

/** @param schema the name of a database that is attached; default: the database itself */
export function allowsPortless(database: DatabaseSync, schema = 'main'): boolean {
  return versionOf(database, schema) >= PORTLESS_VERSION
}

/** @returns undefined if the database has no tables, as one of an empty file */
export function markOf(database: DatabaseSync): Mark | undefined {
  if (versionOf(database) === 0) return undefined
  const row = database.prepare('SELECT * FROM hub').get()
  return row && { id: String(row.id), generation: Number(row.generation ?? 0) }
}

function isMigrated(database: DatabaseSync): boolean {
  const version = versionOf(database)
  if (version > PORTLESS_VERSION) {
    throw new ConnectError('HUB_DATA_DAMAGED', 'The hub’s database was written by a newer version', {
      hints: [ERRORS.CONFIG_NEWER.fix],
    })
  }
  return version > 0 && missingIn(database).length === 0
}

function missingIn(database: DatabaseSync): readonly (typeof ADDITIONS)[number][] {
  return ADDITIONS.filter(({ has }) => database.prepare(has).get() === undefined)
}

function versionOf(database: DatabaseSync, schema = 'main'): number {
  return Number(database.prepare(`PRAGMA ${schema}.user_version`).get()!.user_version)
}
