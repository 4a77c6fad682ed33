import { quickCheck, type DatabaseSync, type loadSqlite } from '../../files/sqlite.ts'
import { markOf, type Mark } from '../store/schema.ts'

type Sqlite = Awaited<ReturnType<typeof loadSqlite>>

/** What a backup has beside the hub's tables, in one of its own. */
export interface Notes {
  /** ms since 1970; unknown of a mere copy of a hub's database. */
  readonly madeAt?: number
  /** The certificate and the key of the authority of the hub's own, as PEM, if it had one. */
  readonly authority?: string
}

export interface Counts {
  /** Those that have joined, without those that were revoked. */
  readonly machines: number
  readonly names: number
  /** Join tokens that are valid. */
  readonly tokens: number
}

/** What is in a copy of a hub's database. */
export interface Contents extends Mark, Notes, Counts {}

/**
 * Adds to a copy what a hub needs besides, and looks through all of it.
 *
 * @throws SQLite's error; Error if it is damaged
 */
export function addNotes(sqlite: Sqlite, copy: string, { madeAt, authority }: Notes): Contents {
  withDatabase(sqlite, copy, (database) => {
    database.exec(`
      PRAGMA journal_mode = MEMORY;
      DROP TABLE IF EXISTS backup;
      CREATE TABLE backup (made_at INTEGER NOT NULL, authority TEXT) STRICT;
    `)
    database.prepare('INSERT INTO backup VALUES (?, ?)').run(madeAt ?? Date.now(), authority ?? null)
  })
  return readContents(sqlite, copy)!
}

/**
 * Looks through a copy of a hub's database.
 *
 * @returns undefined if it is nobody's
 * @throws SQLite's error; Error if it is damaged
 */
export function readContents(sqlite: Sqlite, copy: string): Contents | undefined {
  return withDatabase(sqlite, copy, (database) => {
    checkIsTables(database)
    const damage = quickCheck(database)
    if (damage !== undefined) throw new Error(damage)
    const mark = markOf(database)
    return mark && { ...mark, ...notesOf(database), ...countsOf(database) }
  })
}

/**
 * Views, triggers and virtual tables are programs, and have no page
 * (https://sqlite.org/fileformat2.html#ffschema).
 */
function checkIsTables(database: DatabaseSync): void {
  const other = database.prepare('SELECT 1 FROM sqlite_schema WHERE coalesce(rootpage, 0) = 0').get()
  if (other) throw new Error('it has more in it than tables')
}

function notesOf(database: DatabaseSync): Notes {
  const table = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'backup'`
  const row = database.prepare(table).get() && database.prepare('SELECT * FROM backup').get()
  if (!row) return {}
  const { made_at: madeAt, authority } = row
  return { madeAt: Number(madeAt), ...(authority !== null && { authority: String(authority) }) }
}

function countsOf(database: DatabaseSync): Counts {
  const count = (rows: string) => Number(database.prepare(`SELECT count(*) AS rows FROM ${rows}`).get()!.rows)
  return {
    machines: count('agents WHERE revoked_at IS NULL'),
    names: count('services'),
    tokens: count(`join_tokens WHERE revoked_at IS NULL AND uses_left > 0 AND expires_at > ${Date.now()}`),
  }
}

export function withDatabase<T>(
  { DatabaseSync }: Sqlite,
  file: string,
  work: (database: DatabaseSync) => T,
): T {
  const database = new DatabaseSync(file)
  try {
    return work(database)
  } finally {
    database.close()
  }
}
