import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Signer } from '../../../src/hub-client/credential.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import { tryLock } from '../../../src/files/lock.ts'
import { makeBackup } from '../../../src/hub/backup/make-backup.ts'
import { restoreBackup } from '../../../src/hub/backup/restore-backup.ts'
import { startHub } from '../../../src/hub/server.ts'
import { issueAuthority } from '../../../src/hub/tls/issue.ts'
import { pemPair } from '../../../src/hub/tls/pem-pair.ts'
import { fsCalls } from '../../fixtures/fs-calls.ts'
import { damagedData } from '../../fixtures/hub/damaged-data.ts'
import { HubData } from '../../fixtures/hub/hub-data.ts'
import { hubInProcess, linked, member } from '../../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

const asRoot = process.getuid?.() === 0

/** Data with ada, who has the name web, and eve; and a backup of that. */
async function backedUp() {
  const data = await HubData.start()
  const [ada, eve] = [await data.join('ada', 'web'), await data.join('eve', 'api')]
  const file = path.join(scratchFolder(), 'backup.db')
  await makeBackup(data.folder, file)
  const restore = (options = { replace: false }) => restoreBackup(data.instance, file, options)
  return { data, file, ada, eve, restore }
}

describe('a restore', () => {
  test('brings back all but the join tokens, and keeps what was there', async () => {
    const { data, restore, ada, eve } = await backedUp()
    const hubId = await data.id()
    await data.change((store) => store.removeAgent(ada))
    await data.join('bob', 'web')
    const restored = await restore()
    expect(restored).toMatchObject({
      hubId,
      before: 'same',
      agents: [
        { id: ada, names: ['web'], hadLeft: true },
        { id: eve, names: ['api'], hadLeft: false },
      ],
    })
    expect(Math.abs(restored.madeAt! - Date.now())).toBeLessThan(60_000)
    expect(await data.found()).toEqual({
      hubId,
      machines: ['ada', 'eve'],
      names: ['api', 'web'],
      tokens: ['revoked'],
    })
    expect(
      readdirSync(data.folder)
        .filter((name) => !name.includes('lock'))
        .toSorted(),
    ).toEqual(['hub.backup.json', 'hub.db', path.basename(restored.kept!)])
    // What was there before comes back in the same way.
    await restoreBackup(data.instance, restored.kept!, { replace: false })
    expect(await data.found()).toMatchObject({ machines: ['bob', 'eve'], names: ['api', 'web'] })
  })

  test('revives no machine that was revoked, be it in the backup or not', async () => {
    const { data, restore, eve } = await backedUp()
    const later = await data.join('later', 'later')
    await data.change((store) => [eve, later].map((id) => store.revokeAgent(id)))
    await restore()
    expect(await data.found()).toMatchObject({
      machines: ['ada', 'eve, revoked', 'later, revoked'],
      names: ['web'],
    })
  })

  test('revives no machine that was revoked and then removed, however often it is done', async () => {
    const { data, restore, eve } = await backedUp()
    await data.change((store) => [store.revokeAgent(eve), store.removeAgent(eve)])
    await restore()
    expect(await data.found()).toMatchObject({ machines: ['ada', 'eve, revoked'], names: ['web'] })
    await data.change((store) => store.removeAgent(eve))
    await restore()
    expect(await data.found()).toMatchObject({ machines: ['ada', 'eve, revoked'], names: ['web'] })
  })

  test('says so where what was there is older than the backup, as a copy that was laid over it', async () => {
    const { data, restore } = await backedUp()
    const copy = path.join(scratchFolder(), 'copy.db')
    copyFileSync(data.file('hub.db'), copy)
    const file = path.join(scratchFolder(), 'later.db')
    await data.join('late')
    await makeBackup(data.folder, file)
    copyFileSync(copy, data.file('hub.db'))
    expect(await restoreBackup(data.instance, file, { replace: false })).toMatchObject({ before: 'older' })
    expect(await data.found()).toMatchObject({ machines: ['ada', 'eve', 'late'] })
    expect(await restore()).toMatchObject({ before: 'same' })
  })

  test('has a machine as the backup has it that has joined anew since it was revoked', async () => {
    const { data, restore, eve } = await backedUp()
    await data.change((store) => {
      const { key } = store.agents().find(({ id }) => id === eve)!
      store.revokeAgent(eve)
      store.removeAgent(eve)
      store.join({ token: data.token, agent: eve, key, label: 'eve' })
    })
    await restore()
    expect(await data.found()).toMatchObject({ machines: ['ada', 'eve'] })
  })

  test('makes the hub’s data where there is none', async () => {
    const { data, file } = await backedUp()
    const other = new HubData(path.join(scratchFolder(), 'new'))
    expect(await restoreBackup(other.instance, file, { replace: false })).toMatchObject({
      before: 'none',
      kept: undefined,
    })
    expect(await other.found()).toMatchObject({ hubId: await data.id(), machines: ['ada', 'eve'] })
  })

  test('takes the place of data that is damaged, and its journal is not taken for its own', async () => {
    const { data, restore } = await backedUp()
    const hubId = await data.id()
    const damaged = await damagedData(data)
    for (const name of ['hub.db', 'hub.db-wal']) copyFileSync(path.join(damaged, name), data.file(name))
    const { before, kept } = await restore()
    expect(before).toBe('damaged')
    expect(readFileSync(kept!).at(-1)).toBe(0xa5)
    expect(await data.found()).toMatchObject({ hubId, machines: ['ada', 'eve'], tokens: ['revoked'] })
    expect(
      readdirSync(data.folder)
        .filter((name) => !name.includes('before'))
        .toSorted(),
    ).toEqual(['hub.backup.json', 'hub.db', 'hub.lock'])
  })

  test('leaves no moment at which the old journal lies beside the new data, or nothing is there', async () => {
    const { data, restore } = await backedUp()
    const damaged = await damagedData(data)
    for (const name of ['hub.db', 'hub.db-wal']) copyFileSync(path.join(damaged, name), data.file(name))
    const moments: [string, boolean][] = []
    const lines = fsCalls(['renameSync'], () => {
      moments.push([
        readFileSync(data.file('hub.db'), 'latin1').slice(0, 9),
        existsSync(data.file('hub.db-wal')),
      ])
    })
    await restore()
    const last = lines.findIndex((line) => line.endsWith(`restoring/hub.db ${data.file('hub.db')}`))
    expect(moments[last]).toEqual(['A restore', false])
  })

  test('keeps to the file that a link leads to', async () => {
    const { data, restore } = await backedUp()
    const elsewhere = scratchFolder()
    copyFileSync(data.file('hub.db'), path.join(elsewhere, 'data.db'))
    rmSync(data.file('hub.db'))
    symlinkSync(path.join(elsewhere, 'data.db'), data.file('hub.db'))
    await data.join('late')
    await restore()
    expect(await data.found()).toMatchObject({ machines: ['ada', 'eve'] })
    expect(existsSync(path.join(elsewhere, 'restoring'))).toBe(false)
  })

  test('brings services without a port into a database that had none', async () => {
    const { data } = await backedUp()
    const file = path.join(scratchFolder(), 'sockets.db')
    const bob = await data.join('bob')
    await data.change((store) => {
      store.setAgent(bob, 'bob', [{ workspace: 'default', name: 'socket', agent: bob }])
    })
    await makeBackup(data.folder, file)
    const fresh = await HubData.start()
    await restoreBackup(fresh.instance, file, { replace: false })
    expect(await fresh.found()).toMatchObject({ names: ['api', 'socket', 'web'] })
  })

  test('takes a copy that a version of before has made, which knew less', async () => {
    const { data } = await backedUp()
    const file = path.join(scratchFolder(), 'copy.db')
    copyFileSync(data.file('hub.db'), file)
    const database = new DatabaseSync(file)
    database.exec(`ALTER TABLE hub DROP COLUMN generation; ALTER TABLE agents DROP COLUMN last_seen;
      DROP TABLE removed_revoked`)
    database.close()
    const before = readFileSync(file)
    expect(await restoreBackup(data.instance, file, { replace: false })).toMatchObject({ madeAt: undefined })
    expect(await data.found()).toMatchObject({ machines: ['ada', 'eve'] })
    expect(readFileSync(file)).toEqual(before)
  })
})

describe('another hub’s backup', () => {
  test('takes the place of a hub that nobody has joined', async () => {
    const { data, file } = await backedUp()
    const fresh = await HubData.start()
    expect(await restoreBackup(fresh.instance, file, { replace: false })).toMatchObject({ before: 'another' })
    expect(await fresh.found()).toMatchObject({ hubId: await data.id(), machines: ['ada', 'eve'] })
  })

  test('is refused where machines would be lost, unless that is meant; their revocations stay', async () => {
    const { file, data, eve } = await backedUp()
    const other = await HubData.start()
    const bob = await other.join('bob')
    const outcast = await other.join('outcast')
    await other.change((store) => store.revokeAgent(outcast))
    const found = await other.found()
    const refused = await rejectionOf(restoreBackup(other.instance, file, { replace: false }))
    expect(refused).toMatchObject({
      code: 'BACKUP_OF_ANOTHER',
      message: `${file} is of another hub: 1 machine of this one would have to join anew`,
    })
    expect(await other.found()).toEqual(found)
    const { before, agents } = await restoreBackup(other.instance, file, { replace: true })
    expect(before).toBe('another')
    expect(agents.map(({ id }) => id)).not.toContain(bob)
    expect(agents.find(({ id }) => id === eve)).toMatchObject({ hadLeft: false })
    expect(await other.found()).toMatchObject({
      hubId: await data.id(),
      machines: ['ada', 'eve', 'outcast, revoked'],
    })
  })
})

describe('the authority of the hub’s own', async () => {
  const [ofBackup, another] = [await issueAuthority(Date.now()), await issueAuthority(Date.now())].map(
    (issued) => pemPair(issued),
  ) as [string, string]

  const withAuthority = async () => {
    const data = await HubData.start()
    await data.join('ada')
    data.writeAuthority(ofBackup)
    const file = path.join(scratchFolder(), 'backup.db')
    await makeBackup(data.folder, file)
    return { data, file }
  }

  test('is there again where it was lost', async () => {
    const { file } = await withAuthority()
    const fresh = await HubData.start()
    expect(await restoreBackup(fresh.instance, file, { replace: false })).toMatchObject({
      authority: 'restored',
    })
    expect(fresh.authority).toBe(ofBackup)
    expect(await fresh.change((store) => store.snapshot().agents.length)).toBe(1)
  })

  test('takes the place of another hub’s, which is kept', async () => {
    const { file } = await withAuthority()
    const fresh = await HubData.start()
    fresh.writeAuthority(another)
    await restoreBackup(fresh.instance, file, { replace: false })
    expect(fresh.authority).toBe(ofBackup)
    const kept = readdirSync(fresh.folder).find((name) => name.startsWith('tls.before-restore-'))!
    expect(readFileSync(path.join(fresh.folder, kept, 'authority.key'), 'utf8')).toBe(another)
  })

  test('is not taken from machines that trust the one that this hub has by now', async () => {
    const { data, file } = await withAuthority()
    data.writeAuthority(another)
    expect(await restoreBackup(data.instance, file, { replace: false })).toMatchObject({ authority: 'kept' })
    expect(data.authority).toBe(another)
    data.writeAuthority(ofBackup)
    expect(await restoreBackup(data.instance, file, { replace: false })).toMatchObject({
      authority: undefined,
    })
  })
})

test('an authority that is damaged is brought back from a backup, and none is made of it', async () => {
  const data = await HubData.start()
  const sound = pemPair(await issueAuthority(Date.now()))
  data.writeAuthority(sound)
  const file = path.join(scratchFolder(), 'backup.db')
  await makeBackup(data.folder, file)
  data.writeAuthority(sound.slice(0, 400))
  expect((await rejectionOf(makeBackup(data.folder, `${file}.2`))).code).toBe('HUB_TLS_DAMAGED')
  expect(existsSync(`${file}.2`)).toBe(false)
  expect(await restoreBackup(data.instance, file, { replace: false })).toMatchObject({
    authority: 'restored',
  })
  expect(data.authority).toBe(sound)
})

describe('nothing is changed, and it is said why, by', () => {
  const unchanged = async (spoil: (file: string) => unknown, expected: Record<string, unknown>) => {
    const { data, file, restore } = await backedUp()
    await data.join('late')
    const found = await data.found()
    await spoil(file)
    expect(await rejectionOf(restore())).toMatchObject(expected)
    expect(await data.found()).toEqual(found)
    expect(
      readdirSync(data.folder)
        .filter((name) => !name.includes('lock'))
        .toSorted(),
    ).toEqual(['hub.backup.json', 'hub.db'])
  }
  const unusable = (message: RegExp) => ({
    code: 'BACKUP_UNUSABLE',
    message: expect.stringMatching(message) as string,
  })
  const sql = (statement: string) => (file: string) => {
    const database = new DatabaseSync(file)
    database.exec(statement)
    database.close()
  }

  test.for<[string, (file: string) => unknown, RegExp]>([
    ['a file that is no database', (file) => writeFileSync(file, 'text '.repeat(1000)), /not a database/],
    ['an empty file', (file) => truncateSync(file, 0), /it is not the database of a hub/],
    ['one that was cut short', (file) => truncateSync(file, 8192 + 100), /can’t be restored/],
    ['one of a newer version', sql('PRAGMA user_version = 99'), /was made by a newer version$/],
    [
      'another program’s database',
      (file) => (truncateSync(file, 0), sql('CREATE TABLE agents (name TEXT)')(file)),
      /it is not the database of a hub/,
    ],
    [
      'another program’s, with our number',
      (file) => (
        truncateSync(file, 0),
        sql('CREATE TABLE agents (name TEXT); PRAGMA user_version = 1')(file)
      ),
      /no such table/,
    ],
    ['one that lacks a table', sql('DROP TABLE services'), /no such table/],
    [
      'a hub’s database with its journal beside it',
      (file) => writeFileSync(`${file}-wal`, 'x'),
      /a part of it/,
    ],
  ])('%s', ([, spoil, message]) => unchanged(spoil, unusable(message)))

  test('noise in its pages', () =>
    unchanged((file) => writeFileSync(file, readFileSync(file).fill(0xa5, 4096)), {
      code: 'BACKUP_UNUSABLE',
    }))

  test('no file at all, or none that is one', async () => {
    const { data } = await backedUp()
    const folder = scratchFolder()
    mkdirSync(path.join(folder, 'folder'))
    for (const name of ['none', 'folder'])
      expect(
        (await rejectionOf(restoreBackup(data.instance, path.join(folder, name), { replace: false }))).code,
      ).toBe('BACKUP_UNUSABLE')
  })

  test('the hub’s database itself', async () => {
    const { data } = await backedUp()
    const itself = restoreBackup(data.instance, data.file('hub.db'), { replace: false })
    expect((await rejectionOf(itself)).code).toBe('BAD_VALUE')
  })

  test('a file that others can write', () =>
    unchanged((file) => chmodSync(file, 0o666), { code: 'FILE_UNTRUSTED' }))

  test.skipIf(!asRoot)('another user’s file', () =>
    unchanged((file) => chownSync(file, 65_534, 65_534), { code: 'FILE_UNTRUSTED' }),
  )

  test('whoever owns the data: a hub that runs, or another restore', async () => {
    const { data, restore } = await backedUp()
    const lock = await tryLock(data.instance.lockFile)
    onTestFinished(() => lock!.release())
    expect(await rejectionOf(restore())).toMatchObject({ code: 'HUB_RUNNING' })
  })
})

test('what a killed restore has left is cleared away', async () => {
  const { data, restore } = await backedUp()
  mkdirSync(data.file('restoring'))
  appendFileSync(data.file('restoring/hub.db'), 'half')
  await restore()
  expect(existsSync(data.file('restoring'))).toBe(false)
})

test('a hub is not started on data whose restore was interrupted', async () => {
  const { data } = await backedUp()
  writeFileSync(data.file('hub.db'), 'A restore was interrupted here.\n')
  const started = startHub({ folder: data.folder, host: '127.0.0.1', port: 0, version: '0', log: () => {} })
  expect((await rejectionOf(started)).code).toBe('HUB_DATA_DAMAGED')
})

test('machines go on with the hub that was restored, and one that was revoked since does not', async () => {
  const hub = await hubInProcess()
  const [ada, eve] = [await member(hub, 'ada'), await member(hub, 'eve')]
  const file = path.join(scratchFolder(), 'backup.db')
  await makeBackup(hub.folder, file, await hub.hub.saved())
  await hub.hub.revokeAgent(eve.agentId)
  await hub.close()
  const { instance } = new HubData(hub.folder)
  await restoreBackup(instance, file, { replace: false })
  await hubInProcess(hub.folder, { port: Number(new URL(hub.url).port) })
  await linked(ada)
  const asked = new HubClient({ hub: hub.url }).services(new Signer(eve))
  expect((await rejectionOf(asked)).code).toBe('REVOKED')
})
