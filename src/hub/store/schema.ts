import { randomBytes } from 'node:crypto'
import { ConnectError, ERRORS } from '../../errors.ts'
import type { DatabaseSync } from '../../files/sqlite.ts'
import { inTransaction } from './transaction.ts'

/** The tables as they are made. */
const VERSION = 1

/** The same, and a service may have no port. Versions of before refuse such a database. */
const PORTLESS_VERSION = 2

/** The only workspace of this version. */
export const WORKSPACE = 'default'

/** How often the database was changed. Versions of before don't count, and don't mind. */
const GENERATION = 'generation INTEGER NOT NULL DEFAULT 0'
const HAS_GENERATION = `SELECT 1 FROM pragma_table_info('hub') WHERE name = 'generation'`

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
  CREATE TABLE hub (id TEXT NOT NULL, ${GENERATION}) STRICT;
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
    if (versionOf(database) > 0) return database.exec(`ALTER TABLE hub ADD COLUMN ${GENERATION}`)
    database.exec(SCHEMA)
    database.prepare('INSERT INTO workspaces (id) VALUES (?)').run(WORKSPACE)
    database.prepare('INSERT INTO hub (id) VALUES (?)').run(`hub_${randomBytes(8).toString('hex')}`)
    database.exec(`PRAGMA user_version = ${VERSION}`)
  })
}

/**
 * Makes room for services without a port, in the caller's transaction. Only once there is one: until then a
 * hub that runs, or is brought back, in a version of before can go on with the database.
 */
export function allowPortless(database: DatabaseSync): void {
  if (versionOf(database) >= PORTLESS_VERSION) return
  // SQLite can't take back NOT NULL (https://sqlite.org/lang_altertable.html#otheralter).
  database.exec(`
    ALTER TABLE services RENAME TO services_before;
    ${servicesTable('INTEGER')}
    INSERT INTO services SELECT workspace, name, agent, port FROM services_before;
    DROP TABLE services_before;
    PRAGMA user_version = ${PORTLESS_VERSION};
  `)
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
  return version > 0 && database.prepare(HAS_GENERATION).get() !== undefined
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()!.user_version)
}
