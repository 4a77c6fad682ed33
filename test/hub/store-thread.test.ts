import { DatabaseSync } from 'node:sqlite'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { StoreThread } from '../../src/hub/store-thread.ts'
import { Store } from '../../src/hub/store.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

test('a thread that could not start, since the database was locked, starts again', async () => {
  const folder = scratchFolder()
  const store = await Store.open(folder)
  store.close()
  const locker = new DatabaseSync(path.join(folder, 'hub.db'))
  onTestFinished(() => locker.close())
  locker.exec('BEGIN IMMEDIATE')
  const lists: number[] = []
  const thread = new StoreThread(folder, {
    agents: (agents) => void lists.push(agents.length),
    damaged: (error) => {
      throw error
    },
  })
  onTestFinished(() => thread.close())
  const refused = thread.call('removeAgent', 'agent_0000000000000000')
  await expect(refused).rejects.toMatchObject({ kind: 'storage', message: expect.stringContaining('locked') })
  locker.exec('ROLLBACK')
  // By itself: nobody asks for anything.
  await expect.poll(() => lists, { timeout: 30_000 }).toEqual([0])
  expect(await thread.call('revokeAgent', 'agent_0000000000000000')).toBe(false)
})
