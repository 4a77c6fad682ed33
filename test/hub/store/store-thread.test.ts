import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { StoreError } from '../../../src/hub/store/store-error.ts'
import { StoreThread } from '../../../src/hub/store/store-thread.ts'
import { Store, type Agent } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const NOBODY = 'agent_0000000000000000'

/** A thread on a folder, closed after the test, and all that it has told. */
async function start(folder = scratchFolder()) {
  const started = once(process, 'worker') as Promise<[Worker]>
  const told: Agent[][] = []
  const damaged: StoreError[] = []
  const log: string[] = []
  const thread = new StoreThread(folder, {
    agents: (agents) => void told.push(agents),
    log: (line) => void log.push(line),
    damaged: (error) => void damaged.push(error),
  })
  onTestFinished(() => thread.close())
  const [worker] = await started
  return { folder, thread, told, log, damaged, worker }
}

function machine() {
  const key = { kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') } as const
  return { key, agent: agentIdOf(key), label: 'ada' }
}

/** Has whatever is asked of the database wait. @returns lets it go on */
function lock(folder: string, how = 'BEGIN IMMEDIATE'): () => void {
  const locker = new DatabaseSync(path.join(folder, 'hub.db'))
  const unlock = () => locker[Symbol.dispose]()
  onTestFinished(unlock)
  locker.exec(how)
  return unlock
}

test('each call has its own answer, and what fails is told as what it is', async () => {
  const { folder, thread } = await start()
  // Until then it may be that there is no table yet.
  await thread.call('removeAgent', NOBODY)
  const store = await Store.open(folder)
  onTestFinished(() => store.close())
  const { token } = store.createToken({ ttlMs: 3_600_000, uses: 5 })
  const one = machine()
  const answers = await Promise.allSettled([
    thread.call('join', { ...one, token }),
    thread.call('revokeAgent', NOBODY),
    thread.call('join', { ...machine(), key: one.key, token }),
    thread.call('revokeAgent', one.agent),
  ])
  expect(answers).toMatchObject([
    { status: 'fulfilled', value: { id: one.agent, label: 'ada' } },
    { status: 'fulfilled', value: false },
    { status: 'rejected', reason: { name: 'StoreError', kind: 'rejected' } },
    { status: 'fulfilled', value: true },
  ])
})

test('it tells which agents there are, at the beginning and when another process has changed that', async () => {
  const folder = scratchFolder()
  const store = await Store.open(folder)
  onTestFinished(() => store.close())
  const { told } = await start(folder)
  await expect.poll(() => told, { timeout: 30_000 }).toEqual([[]])
  const one = machine()
  store.join({ ...one, token: store.createToken({ ttlMs: 3_600_000, uses: 1 }).token })
  await expect.poll(() => told.at(-1), { timeout: 30_000 }).toMatchObject([{ id: one.agent }])
})

test('what was asked of a thread that ends is refused, and the next call starts another', async () => {
  const { folder, thread, worker, damaged } = await start()
  await thread.call('removeAgent', NOBODY)
  const unlock = lock(folder)
  const calls = [thread.call('removeAgent', NOBODY), thread.call('revokeAgent', NOBODY)]
  const refused = Promise.allSettled(calls)
  void worker.terminate()
  // It waits for that before it ends.
  unlock()
  const reason = { kind: 'storage', message: 'its database thread has ended' }
  expect(await refused).toMatchObject([{ reason }, { reason }])
  const next = once(process, 'worker') as Promise<[Worker]>
  const answer = thread.call('revokeAgent', NOBODY)
  expect((await next)[0]).not.toBe(worker)
  expect(await answer).toBe(false)
  expect(damaged).toEqual([])
})

test('what a thread has ended of is told', async () => {
  const { folder, thread, worker } = await start()
  await thread.call('removeAgent', NOBODY)
  const unlock = lock(folder)
  const refused = Promise.allSettled([thread.call('removeAgent', NOBODY)])
  worker.emit('error', new Error('out of memory'))
  void worker.terminate()
  unlock()
  const reason = { kind: 'storage', message: 'its database thread has ended: out of memory' }
  expect(await refused).toMatchObject([{ reason }])
})

test('a thread that has ended is started again after a second, unless it was asked for before, or closed', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const { thread, worker } = await start()
  const end = async (one: Worker) => {
    const exit = once(one, 'exit')
    void one.terminate()
    await exit
    expect(vi.getTimerCount()).toBe(1)
  }
  await end(worker)
  const workers: Worker[] = []
  const note = (one: Worker) => void workers.push(one)
  process.on('worker', note)
  onTestFinished(() => void process.off('worker', note))
  vi.advanceTimersByTime(999)
  await turn()
  expect(workers).toHaveLength(0)
  vi.advanceTimersByTime(1)
  await turn()
  expect(workers).toHaveLength(1)
  await end(workers[0]!)
  expect(await thread.call('revokeAgent', NOBODY)).toBe(false)
  expect([workers.length, vi.getTimerCount()]).toEqual([2, 0])
  await end(workers[1]!)
  await thread.close()
  expect([workers.length, vi.getTimerCount()]).toEqual([2, 0])
})

test('a damaged database is told, and no other thread is started on it', async () => {
  const folder = scratchFolder()
  writeFileSync(path.join(folder, 'hub.db'), 'not a database, but long enough to be one '.repeat(100))
  const { thread, worker, told, damaged } = await start(folder)
  const refused = thread.call('removeAgent', NOBODY).catch((error: StoreError) => error)
  expect(await refused).toMatchObject({ kind: 'damaged', message: expect.stringContaining('not a database') })
  await expect.poll(() => damaged).toEqual([await refused])
  expect([worker.threadId, told]).toEqual([-1, []])
})

test('a thread that is closed has ended, is not started again, and may be closed twice', async () => {
  const { folder, thread, worker } = await start()
  await thread.call('removeAgent', NOBODY)
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timers.mockRestore())
  const exit = once(worker, 'exit')
  await thread.close()
  expect(await exit).toEqual([0])
  await thread.close()
  expect(timers).not.toHaveBeenCalled()
  // It has let go of the database in good order.
  expect(readdirSync(folder)).toEqual(['hub.db'])
})

test('a thread whose database another program has locked waits for it, and reads what may be read', async () => {
  const workers: Worker[] = []
  const note = (one: Worker) => void workers.push(one)
  process.on('worker', note)
  onTestFinished(() => void process.off('worker', note))
  const startLocked = async (how: string) => {
    const folder = scratchFolder()
    const store = await Store.open(folder)
    store.close()
    const unlock = lock(folder, how)
    return { ...(await start(folder)), unlock }
  }
  const all = await startLocked('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  const written = await startLocked('BEGIN EXCLUSIVE')
  const message = 'its database is locked by another program'
  await expect(written.thread.call('removeAgent', NOBODY)).rejects.toMatchObject({ kind: 'storage', message })
  expect([written.told.at(-1), written.log]).toEqual([[], []])
  await expect.poll(() => all.log, { timeout: 30_000 }).toHaveLength(1)
  expect(all.told).toEqual([])
  all.unlock()
  written.unlock()
  // By itself: nobody asks for anything.
  await expect.poll(() => all.told, { timeout: 30_000 }).toEqual([[]])
  for (const { thread } of [all, written]) expect(await thread.call('revokeAgent', NOBODY)).toBe(false)
  expect([all.log, written.log]).toEqual([[`[x] The hub can save nothing: ${message}. It tries again`], []])
  expect([workers, all.damaged, written.damaged]).toEqual([[all.worker, written.worker], [], []])
}, 60_000)
