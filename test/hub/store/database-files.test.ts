import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { DatabaseFiles } from '../../../src/hub/store/database-files.ts'
import { StoreThread } from '../../../src/hub/store/store-thread.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const POLL = { timeout: 30_000, interval: 20 }

/** A hub's thread on a database with a join token, whose files a test can spoil. */
class Kept {
  readonly folder: string
  readonly token: string
  readonly thread: StoreThread
  readonly log: string[] = []

  private constructor(folder: string, token: string) {
    this.folder = folder
    this.token = token
    this.thread = new StoreThread(folder, {
      agents: () => {},
      log: (line) => this.log.push(line),
      damaged: (error) => this.log.push(`damaged: ${error.message}`),
    })
  }

  static async start(): Promise<Kept> {
    const folder = path.join(scratchFolder(), 'hub')
    const store = await Store.open(folder)
    const { token } = store.createToken({ ttlMs: 3_600_000, uses: 50 })
    store.close()
    const kept = new Kept(folder, token)
    onTestFinished(() => kept.close())
    await kept.join(1)
    return kept
  }

  file(name: string): string {
    return path.join(this.folder, name)
  }

  join(n: number) {
    const key = { kty: 'OKP', crv: 'Ed25519', x: Buffer.alloc(32, n).toString('base64url') } as const
    return this.thread.call('join', { token: this.token, agent: agentIdOf(key), key, label: `machine ${n}` })
  }

  /** The machines that a hub that started now would know. */
  async found(): Promise<string[]> {
    const store = await Store.open(this.folder)
    try {
      return store.agents().map(({ label }) => label)
    } finally {
      store.close()
    }
  }

  #closed: Promise<void> | undefined
  close(): Promise<void> {
    return (this.#closed ??= this.thread.close())
  }
}

describe('what was answered as saved is there after a restart, though while the hub ran someone deleted', () => {
  test.for([
    ['hub.db', ['hub.db']],
    ['all its files', ['hub.db', 'hub.db-wal', 'hub.db-shm']],
    ['hub.db-wal', ['hub.db-wal']],
    ['hub.db-shm', ['hub.db-shm']],
  ] as const)('%s', async ([, names]) => {
    const kept = await Kept.start()
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
    const kept = await Kept.start()
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
  const kept = await Kept.start()
  rmSync(kept.file('hub.db'))
  await expect.poll(() => kept.log, POLL).toHaveLength(1)
  expect(await kept.found()).toEqual(['machine 1'])
})

test('one that was written anew, and could not be opened then, is no stranger’s: it is written once more', () => {
  const file = path.join(scratchFolder(), 'hub.db')
  const database = new DatabaseSync(file)
  onTestFinished(() => database.close())
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)')
  const files = new DatabaseFiles(file)
  expect(files.areMissing()).toBe(false)
  rmSync(file)
  for (let turn = 0; turn < 2; turn++) {
    expect(files.areMissing()).toBe(true)
    files.writeAnew(database)
  }
  const anew = new DatabaseSync(file, { readOnly: true })
  onTestFinished(() => anew.close())
  expect(anew.prepare('SELECT n FROM t').get()).toEqual({ n: 7 })
})

test('another database in the place of the hub’s stays as it is, and what can’t be saved is refused', async () => {
  const kept = await Kept.start()
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
  const kept = await Kept.start()
  rmSync(kept.file('hub.db'))
  // Nothing can be written in its place.
  mkdirSync(path.join(kept.file('hub.db.new'), 'x'), { recursive: true })
  await expect(kept.join(2)).rejects.toMatchObject({ kind: 'storage' })
  rmSync(kept.file('hub.db.new'), { recursive: true })
  await kept.join(3)
  await kept.close()
  expect(await kept.found()).toEqual(['machine 1', 'machine 3'])
})
