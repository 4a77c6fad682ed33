import { appendFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadSqlite } from '../../../src/files/sqlite.ts'
import { openCopy, waitUntilQuiet } from '../../../src/hub/backup/copy-aside.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

/** A database that is open, with something in its journal. */
async function openStore(): Promise<{ folder: string; store: Store }> {
  const folder = scratchFolder()
  const store = await Store.open(folder)
  onTestFinished(() => store.close())
  store.createToken({ ttlMs: 60_000, uses: 1 })
  return { folder, store }
}

test('a copy has what is in the journal, and the database is as it was', async () => {
  const { folder, store } = await openStore()
  expect(existsSync(path.join(folder, 'hub.db-wal'))).toBe(true)
  const copy = openCopy(await loadSqlite(), folder, path.join(scratchFolder(), 'source'))
  try {
    expect({ mark: copy.mark, tokens: copy.tokens() }).toEqual({ mark: store.mark, tokens: store.tokens() })
  } finally {
    copy.close()
  }
  store.createToken({ ttlMs: 60_000, uses: 1 })
  expect(store.tokens()).toHaveLength(2)
})

test('a database that somebody goes on writing into is not copied, and that is said', async () => {
  const { folder } = await openStore()
  const writer = setInterval(() => appendFileSync(path.join(folder, 'hub.db-wal'), ''), 10)
  onTestFinished(() => clearInterval(writer))
  expect(await rejectionOf(waitUntilQuiet(folder, 100))).toMatchObject({
    code: 'WRITE_FAILED',
    message: `The hub’s data in ${folder} can’t be opened there, and changes while it is copied`,
    hints: [`Try again, or free some space on that disk: df -h ${folder}`],
  })
})
