import type { DatabaseSync, SQLOutputValue } from '../../files/sqlite.ts'
import { allowPortless, allowsPortless, TABLES } from './schema.ts'

/**
 * Puts what another hub's database has in the place of what this one has, in the caller's transaction. All
 * its join tokens are revoked then, and the agents that this one knows to be revoked.
 *
 * @param other the name of the database that is attached; of the same tables
 */
export function replaceContents(database: DatabaseSync, other: string): void {
  const revoked = database.prepare('SELECT * FROM agents WHERE revoked_at IS NOT NULL').all()
  const removed = database.prepare('SELECT id FROM removed_revoked').all()
  const { generation } = database.prepare('SELECT generation FROM hub').get()!
  for (const table of TABLES.toReversed()) database.exec(`DELETE FROM ${table}`)
  if (allowsPortless(database, other)) allowPortless(database)
  for (const table of TABLES) {
    // One that was added to has its columns in another order than one that was made so.
    const columns = columnsOf(database, table)
    database.exec(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${other}.${table}`)
  }
  database.prepare('UPDATE hub SET generation = max(generation, ?)').run(generation!)
  database.prepare('UPDATE join_tokens SET revoked_at = coalesce(revoked_at, ?)').run(Date.now())
  for (const agent of revoked) keepRevoked(database, agent)
  for (const { id } of removed) keepRemoved(database, id!)
}

/** One that has joined since is kept as well: with its row gone it could join again. */
function keepRevoked(database: DatabaseSync, agent: Record<string, SQLOutputValue>): void {
  const columns = Object.keys(agent)
  database.prepare('DELETE FROM services WHERE agent = ?').run(agent.id!)
  database
    .prepare(
      `INSERT OR REPLACE INTO agents (${columns.join()}) VALUES (${columns.map((name) => `:${name}`).join()})`,
    )
    .run(agent)
}

function keepRemoved(database: DatabaseSync, id: SQLOutputValue): void {
  database.prepare('DELETE FROM services WHERE agent = ?').run(id)
  database.prepare('UPDATE agents SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?').run(Date.now(), id)
  database.prepare('INSERT OR IGNORE INTO removed_revoked VALUES (?)').run(id)
}

function columnsOf(database: DatabaseSync, table: string): string {
  const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all(table)
  return columns.map(({ name }) => String(name)).join()
}
