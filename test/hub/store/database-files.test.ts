import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { adviceOn, DatabaseFiles } from '../../../src/hub/store/database-files.ts'
import { fsCalls } from '../../fixtures/fs-calls.ts'
import { KeptStore } from '../../fixtures/hub/kept-store.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const POLL = { timeout: 30_000, interval: 20 }

describe('what was answered as saved is there after a restart, though while the hub ran someone deleted', () => {
  test.for([
    ['hub.db', ['hub.db']],
    ['all its files', ['hub.db', 'hub.db-wal', 'hub.db-shm']],
    ['hub.db-wal', ['hub.db-wal']],
    ['hub.db-shm', ['hub.db-shm']],
  ] as const)('%s', async ([, names]) => {
    const kept = await KeptStore.start()
    for (const name of names) rmSync(kept.file(name))
    await kept.join(2)
    // As a power cut would: nothing more is said to the thread that has answered.
    expect(await kept.found()).toEqual(['machine 1', 'machine 2'])
    expect(statSync(kept.file('hub.db')).mode & 0o777).toBe(0o600)
    await kept.join(3)
    await kept.close()
    expect(await kept.found()).toEqual(['machine 1', 'machine 2', 'machine 3'])
    expect(readdirSync(kept.folder)).toEqual(['hub.db'])
    expect(kept.log).toEqual([
      expect.stringMatching(/^\[!\] Files of the hub’s database were deleted .* anew/),
    ])
  })

  test('its whole folder, once that is there again', async () => {
    const kept = await KeptStore.start()
    rmSync(kept.folder, { recursive: true })
    await expect(kept.join(2)).rejects.toMatchObject({ kind: 'storage', message: 'its folder was deleted' })
    mkdirSync(kept.folder, { mode: 0o700 })
    await kept.join(3)
    await kept.close()
    expect(await kept.found()).toEqual(['machine 1', 'machine 3'])
    expect(kept.log[0]).toBe(
      `[x] The hub can save nothing: its folder was deleted. Make ${kept.folder} again, and it writes its database there`,
    )
  })
})

test('what was deleted is written anew though nobody asks for anything', async () => {
  const kept = await KeptStore.start()
  rmSync(kept.file('hub.db'))
  await expect.poll(() => kept.log, POLL).toHaveLength(1)
  expect(await kept.found()).toEqual(['machine 1'])
})

/** A database with a 7 in it, as the hub has it open until the end of the test, and its files. */
function opened({ mode = 'WAL' } = {}) {
  const folder = scratchFolder()
  const file = path.join(folder, 'hub.db')
  const database = open(file)
  database.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)`)
  const files = new DatabaseFiles(file)
  expect(files.areMissing()).toBe(false)
  return { folder, file, database, files }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  onTestFinished(() => database.close())
  return database
}

/** What a hub that started now would find. */
const contentOf = (file: string) => open(file).prepare('SELECT n FROM t').all()

const REPLACED = expect.objectContaining({ kind: 'storage', message: 'its database was replaced' }) as Error
const FOLDER_DELETED = expect.objectContaining({
  kind: 'storage',
  message: 'its folder was deleted',
}) as Error

describe('of the files of an open database', () => {
  test('one that was not there in the beginning may come', () => {
    const { file, files } = opened({ mode: 'DELETE' })
    writeFileSync(`${file}-wal`, '')
    expect(files.areMissing()).toBe(false)
  })

  test.for(['', '-wal', '-shm'])('one that is deleted is missing: hub.db%s', (ending) => {
    const { file, files } = opened()
    rmSync(file + ending)
    expect(files.areMissing()).toBe(true)
  })

  test('one that another has replaced is no longer ours, whatever else was deleted', () => {
    const { file, files } = opened()
    rmSync(`${file}-wal`)
    renameSync(file, `${file}.old`)
    writeFileSync(file, 'another')
    expect(() => files.areMissing()).toThrow(REPLACED)
  })

  test('none is missing from a folder that is gone', () => {
    const { folder, files } = opened()
    rmSync(folder, { recursive: true })
    expect(() => files.areMissing()).toThrow(FOLDER_DELETED)
  })
})

describe('a database that is written anew', () => {
  test.for(['', '-wal'])(
    'is whole, for us alone, and all that lies there: hub.db%s was deleted',
    (ending) => {
      const { folder, file, files, database } = opened()
      writeFileSync(`${file}.new`, 'left behind by a power cut')
      rmSync(file + ending)
      files.writeAnew(database)
      expect(readdirSync(folder)).toEqual(['hub.db'])
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(contentOf(file)).toEqual([{ n: 7 }])
    },
  )

  test('outlives a power cut, and leaves no descriptor open', () => {
    const { folder, file, files, database } = opened()
    rmSync(`${file}-wal`)
    const lines = fsCalls(['openSync', 'fsyncSync', 'closeSync', 'renameSync'])
    files.writeAnew(database)
    expect(lines).toEqual([
      `openSync ${file}.new`,
      `fsyncSync ${file}.new`,
      `closeSync ${file}.new`,
      `renameSync ${file}.new ${file}`,
      `openSync ${folder}`,
      `fsyncSync ${folder}`,
      `closeSync ${folder}`,
    ])
  })

  test('leaves none open either if it could not be written', () => {
    const { folder, file, files, database } = opened()
    const lines = fsCalls(['closeSync'])
    database.close()
    expect(() => files.writeAnew(database)).toThrow('database is not open')
    database.open()
    expect(lines).toEqual([`closeSync ${file}.new`])
    expect(readdirSync(folder)).not.toContain('hub.db.new')
  })

  test('and could not be opened then, is no stranger’s: it is written once more', () => {
    const { file, files, database } = opened()
    rmSync(file)
    for (let turn = 0; turn < 2; turn++) {
      expect(files.areMissing()).toBe(true)
      files.writeAnew(database)
    }
    expect(contentOf(file)).toEqual([{ n: 7 }])
  })

  test('and could not be put in its place, is written once more', () => {
    const { folder, file, files, database } = opened()
    rmSync(`${file}-wal`)
    let failures = 1
    fsCalls(['renameSync'], () => {
      if (failures-- > 0) throw new Error('EIO: i/o error, rename')
    })
    expect(() => files.writeAnew(database)).toThrow('EIO')
    expect(readdirSync(folder)).toEqual(['hub.db'])
    expect(files.areMissing()).toBe(true)
    files.writeAnew(database)
    expect(contentOf(file)).toEqual([{ n: 7 }])
  })

  test.for(['hub.db', 'hub.db-wal'])('takes the place of none that came meanwhile: of %s', (name) => {
    const { folder, file, files, database } = opened()
    rmSync(path.join(folder, name))
    const prepare = database.prepare.bind(database)
    vi.spyOn(database, 'prepare').mockImplementationOnce((sql) => {
      renameSync(file === path.join(folder, name) ? `${file}-wal` : file, path.join(folder, 'old'))
      for (const one of ['hub.db', 'hub.db-wal']) writeFileSync(path.join(folder, one), 'another')
      return prepare(sql)
    })
    expect(() => files.writeAnew(database)).toThrow(REPLACED)
    for (const one of ['hub.db', 'hub.db-wal'])
      expect(readFileSync(path.join(folder, one), 'utf8')).toBe('another')
    expect(readdirSync(folder)).not.toContain('hub.db.new')
  })
})

test.for([
  ['its folder was deleted', 'Make /x again, and it writes its database there'],
  [
    'its database was replaced',
    'Restart the hub to go on with what is in /x now; or remove hub.db there, and it writes its own again',
  ],
  [
    'its database was overwritten',
    'Its machines stay connected until it ends: stop it, and restore a backup with connect hub restore FILE',
  ],
  ['its disk is full', 'It tries again'],
] as const)('what can be done about it, when %s', ([reason, advice]) => {
  expect(adviceOn(reason, '/x')).toBe(advice)
})

test('another database in the place of the hub’s stays as it is, and what can’t be saved is refused', async () => {
  const kept = await KeptStore.start()
  renameSync(kept.file('hub.db'), kept.file('hub.db.old'))
  writeFileSync(kept.file('hub.db'), 'someone else’s')
  await expect(kept.join(2)).rejects.toMatchObject({ kind: 'storage', message: 'its database was replaced' })
  expect(statSync(kept.file('hub.db')).size).toBe(16)
  expect(kept.log).toEqual([
    expect.stringMatching(/database was replaced\. Restart the hub .*; or remove hub\.db/),
  ])
  // As it was, all is well again, and what was refused was not done.
  renameSync(kept.file('hub.db.old'), kept.file('hub.db'))
  await kept.join(3)
  await kept.close()
  expect(await kept.found()).toEqual(['machine 1', 'machine 3'])
})

test('where there is no room for it, what is to be saved is refused until there is', async () => {
  const kept = await KeptStore.start()
  rmSync(kept.file('hub.db'))
  // Nothing can be written in its place.
  mkdirSync(path.join(kept.file('hub.db.new'), 'x'), { recursive: true })
  await expect(kept.join(2)).rejects.toMatchObject({ kind: 'storage' })
  rmSync(kept.file('hub.db.new'), { recursive: true })
  await kept.join(3)
  await kept.close()
  expect(await kept.found()).toEqual(['machine 1', 'machine 3'])
})
