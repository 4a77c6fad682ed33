import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Store } from '../../../src/hub/store/store.ts'
import { KeptStore } from '../../fixtures/hub/kept-store.ts'

/** A database whose hub is at work, with two machines in it, and an older copy of its file. */
async function atWork() {
  const kept = await KeptStore.start()
  const [file, old] = [kept.file('hub.db'), kept.file('old')]
  copyFileSync(file, old)
  const checkpoint = () => {
    const other = new DatabaseSync(file)
    other.exec('PRAGMA wal_checkpoint')
    other.close()
  }
  checkpoint()
  await kept.join(2)
  return { kept, file, old, checkpoint }
}

async function anotherHubs(file: string): Promise<void> {
  const other = await KeptStore.start()
  await other.close()
  copyFileSync(other.file('hub.db'), file)
}

const half = (file: string) => truncateSync(file, statSync(file).size / 2)
const noise = (file: string) => writeFileSync(file, readFileSync(file).fill(0xa5, 4096))

describe('what is not in the hub’s file is not said to be saved, while someone has', () => {
  test.for<[string, (file: string, old: string) => Promise<void> | void]>([
    ['emptied it', (file) => truncateSync(file)],
    ['written another hub’s database into it', anotherHubs],
    ['written an older copy into it', (file, old) => copyFileSync(old, file)],
  ])('%s', async ([, spoil]) => {
    const { kept, file, old } = await atWork()
    const whole = readFileSync(file)
    await spoil(file, old)
    const spoiled = readFileSync(file)
    const reason = 'its database was overwritten'
    await expect(kept.join(3)).rejects.toMatchObject({ kind: 'storage', message: reason })
    await expect(kept.thread.call('revokeToken', 'jt_0')).rejects.toMatchObject({ message: reason })
    expect(readFileSync(file).equals(spoiled)).toBe(true)
    expect(kept.log).toEqual([
      `[x] The hub can save nothing: ${reason}. Its machines stay connected until it ends: stop it, and restore a backup with connect hub restore FILE`,
    ])
    // As it was, all is well again, and what was refused was not done.
    writeFileSync(file, whole)
    await kept.join(4)
    await kept.close()
    expect(await kept.found()).toEqual(['machine 1', 'machine 2', 'machine 4'])
    expect(kept.told.slice(1)).not.toContain(0)
  })

  test.for([
    ['cut it short', half],
    ['written noise into it', noise],
  ] as const)('%s, which ends the hub as damage does', async ([, spoil]) => {
    const { kept, file } = await atWork()
    spoil(file)
    await expect(kept.join(3)).rejects.toMatchObject({ kind: 'damaged' })
    await expect.poll(() => kept.log, { timeout: 30_000 }).toEqual([expect.stringMatching(/^damaged: /)])
  })
})

test('a database that was emptied is no new one for who opens it besides', async () => {
  const { kept, file } = await atWork()
  truncateSync(file)
  await expect(Store.open(kept.folder)).rejects.toMatchObject({
    code: 'HUB_DATA_DAMAGED',
    message: `Could not open ${file}: it was emptied`,
  })
  expect(statSync(kept.file('hub.db-wal')).size).toBeGreaterThan(0)
})

test('it is noticed though nobody asks for anything', async () => {
  const { kept, file } = await atWork()
  truncateSync(file)
  await expect.poll(() => kept.log, { timeout: 30_000 }).toHaveLength(1)
})

test('a -wal file that was emptied is written anew, with all that was in it', async () => {
  const { kept } = await atWork()
  truncateSync(kept.file('hub.db-wal'))
  await kept.join(3)
  expect(await kept.foundAfterPowerCut()).toEqual(['machine 1', 'machine 2', 'machine 3'])
})

test('one that had in it what is nowhere else counts as overwritten', async () => {
  const { kept } = await atWork()
  // The hub has not read that: it is in no cache.
  const store = await Store.open(kept.folder)
  for (let n = 0; n < 100; n++) store.createToken({ ttlMs: 1000, uses: 1 })
  store.close()
  truncateSync(kept.file('hub.db-wal'))
  await expect(kept.join(3)).rejects.toMatchObject({
    kind: 'storage',
    message: 'its database was overwritten',
  })
  expect(kept.log).toEqual([expect.stringMatching(/database was overwritten\. .* connect hub restore FILE/)])
})

test('what SQLite writes into the file itself is no stranger’s, whoever reads or has it written', async () => {
  const { kept, file, checkpoint } = await atWork()
  const reader = new DatabaseSync(file)
  onTestFinished(() => reader.close())
  for (let n = 3; n < 30; n++) {
    // A checkpoint then leaves out some pages, and the file alone is no sound database.
    if (n % 9 === 3) reader.exec('BEGIN; SELECT * FROM agents')
    await kept.join(n)
    if (n % 3 === 0) checkpoint()
    if (n % 9 === 0) reader.exec('COMMIT')
  }
  reader.exec('PRAGMA wal_checkpoint(TRUNCATE); VACUUM')
  const store = await Store.open(kept.folder)
  store.createToken({ ttlMs: 1000, uses: 1 })
  store.close()
  await kept.join(30)
  await kept.close()
  expect(await kept.found()).toHaveLength(30)
  expect(kept.log).toEqual([])
})
