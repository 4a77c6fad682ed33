import { readdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { makeBackup } from '../../../src/hub/backup/make-backup.ts'
import { restoreBackup } from '../../../src/hub/backup/restore-backup.ts'
import { fsCalls } from '../../fixtures/fs-calls.ts'
import { HubData } from '../../fixtures/hub/hub-data.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

/** A backup of data with ada, who has the name web; and what a statement has made of it. */
async function crafted(statement: string) {
  const data = await HubData.start()
  await data.join('ada', 'web')
  const file = path.join(scratchFolder(), 'crafted.db')
  await makeBackup(data.folder, file)
  const database = new DatabaseSync(file)
  database.exec(statement)
  database.close()
  const restore = () => restoreBackup(data.instance, file, { replace: false })
  return { data, file, restore }
}

describe('a file that someone has crafted is no backup:', () => {
  test.for([
    ['a hub’s id that is a header', `UPDATE hub SET id = 'hub_' || char(13, 10) || 'x: y'`],
    ['two hubs', `INSERT INTO hub (id, generation) VALUES ('hub_0123456789abcdef', 1)`],
    ['no hub', 'DELETE FROM hub'],
    ['a generation after which there is no other', 'UPDATE hub SET generation = 9007199254740990'],
    ['a generation that is no number here', 'UPDATE hub SET generation = 9223372036854775807'],
    [
      'an id that is not that of the key',
      `PRAGMA foreign_keys = OFF; UPDATE agents SET id = 'agent_0123456789abcdef'; DELETE FROM services`,
    ],
    [
      'an id that commands the terminal',
      `PRAGMA foreign_keys = OFF; UPDATE agents SET id = char(27) || '[2J'; DELETE FROM services`,
    ],
    ['a key that is none', `UPDATE agents SET public_key = 'x'`],
    ['no label', `UPDATE agents SET label = ''`],
    ['a label without end', `UPDATE agents SET label = printf('%.*c', 100000, 'x')`],
    ['a day that no calendar has', 'UPDATE agents SET joined_at = 9000000000000000'],
    ['a last day that no calendar has', 'UPDATE agents SET last_seen = 9000000000000000'],
    ['a name that is none', `UPDATE services SET name = 'a' || char(10) || 'b'`],
    ['a port that is none', 'UPDATE services SET port = 70000'],
    ['a name of nobody’s', `PRAGMA foreign_keys = OFF; UPDATE services SET agent = 'agent_0123456789abcdef'`],
    ['a token that ends on no day', 'UPDATE join_tokens SET expires_at = 9000000000000000'],
    ['a token id that is none', `UPDATE join_tokens SET id = 'x y'`],
    ['a removed machine that is none', `INSERT INTO removed_revoked VALUES ('x')`],
    ['a backup of no day', 'UPDATE backup SET made_at = 9000000000000000'],
    ['an authority that is none', `UPDATE backup SET authority = 'x'`],
    [
      'a view in place of a table',
      `CREATE TABLE kept AS SELECT * FROM services; DROP TABLE services;
       CREATE VIEW services AS SELECT * FROM kept`,
    ],
    [
      'a view that has no end',
      `DROP TABLE services; CREATE VIEW services AS WITH RECURSIVE n(x) AS
       (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 3000000)
       SELECT 'default' AS workspace, 'web' AS name, x AS agent, 1 AS port FROM n`,
    ],
    [
      'a trigger',
      `CREATE TRIGGER undo AFTER UPDATE ON agents BEGIN UPDATE agents SET revoked_at = NULL; END`,
    ],
  ] as const)('%s', async ([, statement]) => {
    const { data, restore } = await crafted(statement)
    const found = await data.found()
    expect(await rejectionOf(restore())).toMatchObject({ code: 'BACKUP_UNUSABLE' })
    expect(await data.found()).toEqual(found)
    expect(
      readdirSync(data.folder)
        .filter((name) => !name.includes('lock'))
        .toSorted(),
    ).toEqual(['hub.backup.json', 'hub.db'])
  })
})

test('a file that is laid over a backup once that was looked at is not taken for it', async () => {
  const { data, file, restore } = await crafted('')
  const other = await crafted('')
  const found = await data.found()
  fsCalls(['closeSync'], (line) => {
    if (line.endsWith(file)) renameSync(other.file, file)
  })
  expect(await restore()).toMatchObject({ hubId: found.hubId })
})
