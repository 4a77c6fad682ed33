import { randomBytes } from 'node:crypto'
import { ConnectError, ERRORS } from '../../errors.ts'
import type { DatabaseSync } from '../../files/sqlite.ts'
import { inTransaction } from './transaction.ts'

const SCHEMA_VERSION = 1

/** The only workspace of this version. */
export const WORKSPACE = 'default'

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
  CREATE TABLE services (
    workspace TEXT NOT NULL REFERENCES workspaces(id),
    name TEXT NOT NULL,
    agent TEXT NOT NULL REFERENCES agents(id) ON DELETE CASCADE,
    port INTEGER NOT NULL,
    PRIMARY KEY (workspace, name)
  ) STRICT;
  CREATE TABLE hub (id TEXT NOT NULL) STRICT;
`

/**
 * Makes the tables of a database that has none.
 *
 * @throws ConnectError HUB_DATA_DAMAGED if a newer version has written it
 */
export function migrate(database: DatabaseSync): void {
  inTransaction(database, () => {
    const version = Number(database.prepare('PRAGMA user_version').get()!.user_version)
    if (version > SCHEMA_VERSION) {
      throw new ConnectError('HUB_DATA_DAMAGED', 'The hub’s database was written by a newer version', {
        hints: [ERRORS.CONFIG_NEWER.fix],
      })
    }
    if (version === SCHEMA_VERSION) return
    database.exec(SCHEMA)
    database.prepare('INSERT INTO workspaces (id) VALUES (?)').run(WORKSPACE)
    database.prepare('INSERT INTO hub (id) VALUES (?)').run(`hub_${randomBytes(8).toString('hex')}`)
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
  })
}
