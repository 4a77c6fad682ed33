import { randomBytes } from 'node:crypto'
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { expect, onTestFinished, test, vi } from 'vitest'
import { serveStore } from '../../../src/hub/store/store-server.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { turns } from '../../tunnel/helpers/simulated-wire.ts'

const NOBODY = 'agent_0000000000000000'
const HOUR = 3_600_000

/** The far end of a store's port, until the end of the test, and a clock that stands still. */
async function serve(folder = scratchFolder()) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port2.close())
  const heard: unknown[] = []
  port2.on('message', (message) => void heard.push(message))
  await serveStore(folder, port1)
  /** What it has said since the last call; both ends are in this thread, so all has come after some turns. */
  const says = async () => {
    await turns(20)
    return heard.splice(0)
  }
  let calls = 0
  const ask = (method: string, ...args: unknown[]) => port2.postMessage({ id: ++calls, method, args })
  return { folder, port: port2, says, ask }
}

/** Another process that has the same database open. */
async function besides(folder: string): Promise<Store> {
  const store = await Store.open(folder)
  onTestFinished(() => store.close())
  return store
}

function machine() {
  const key = { kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') } as const
  return { key, agent: agentIdOf(key), label: 'ada' }
}

/** Has a method of the store fail as SQLite does, until the end of the test. */
function failing(method: 'agents' | 'dataVersion' | 'removeAgent' | 'check', errcode: number) {
  const spy = vi.spyOn(Store.prototype, method).mockImplementation(() => {
    throw Object.assign(new Error('what SQLite says'), { errcode })
  })
  onTestFinished(() => spy.mockRestore())
  return spy
}

test('it answers each call by its number', async () => {
  const { folder, says, ask } = await serve()
  const { token } = (await besides(folder)).createToken({ ttlMs: HOUR, uses: 2 })
  const one = machine()
  ask('join', { ...one, token })
  ask('removeAgent', NOBODY)
  ask('revokeAgent', one.agent)
  expect(await says()).toEqual([
    { agents: [] },
    { id: 1, result: expect.objectContaining({ id: one.agent }) },
    { id: 2, result: false },
    { id: 3, result: true },
  ])
})

test('it says which agents there are at the beginning, and within half a second of a change', async () => {
  const folder = scratchFolder()
  const store = await besides(folder)
  const { token } = store.createToken({ ttlMs: HOUR, uses: 1 })
  const { says } = await serve(folder)
  expect(await says()).toEqual([{ agents: [] }])
  const one = machine()
  store.join({ ...one, token })
  vi.advanceTimersByTime(499)
  expect(await says()).toEqual([])
  vi.advanceTimersByTime(1)
  expect(await says()).toEqual([{ agents: [expect.objectContaining({ id: one.agent })] }])
  vi.advanceTimersByTime(1000)
  expect(await says()).toEqual([])
})

test('what fails is told as what it is, and the database is looked through if need be', async () => {
  const { says, ask } = await serve()
  failing('removeAgent', 5)
  ask('removeAgent', NOBODY)
  const reason = 'what SQLite says'
  const locked = { kind: 'storage', reason: 'its database is locked by another program' }
  expect(await says()).toEqual([{ agents: [] }, { id: 1, failure: locked }])
  failing('removeAgent', 1)
  ask('removeAgent', NOBODY)
  expect(await says()).toEqual([{ id: 2, failure: { kind: 'rejected', reason } }])
  failing('check', 11)
  ask('removeAgent', NOBODY)
  expect(await says()).toEqual([{ id: 3, failure: { kind: 'damaged', reason } }])
})

test('a look that fails is taken again, and what it has not seen is told then', async () => {
  const { folder, says } = await serve()
  expect(await says()).toEqual([{ agents: [] }])
  const store = await besides(folder)
  store.join({ ...machine(), token: store.createToken({ ttlMs: HOUR, uses: 1 }).token })
  const spy = failing('agents', 5)
  vi.advanceTimersByTime(500)
  expect(await says()).toEqual([])
  spy.mockRestore()
  vi.advanceTimersByTime(500)
  expect(await says()).toEqual([{ agents: [expect.objectContaining({ label: 'ada' })] }])
})

test('a look that finds damage is the end', async () => {
  const { says } = await serve()
  expect(await says()).toEqual([{ agents: [] }])
  failing('dataVersion', 11)
  vi.advanceTimersByTime(500)
  expect(await says()).toEqual([{ ended: { kind: 'damaged', reason: 'what SQLite says' } }])
})

const ANEW = {
  log: '[!] Files of the hub’s database were deleted while it ran, and are written anew. To begin with an empty one, stop the hub first',
}

test('files that are deleted are written anew within half a second, and whoever runs the hub is told once', async () => {
  const { folder, says } = await serve()
  expect(await says()).toEqual([{ agents: [] }])
  rmSync(path.join(folder, 'hub.db'))
  vi.advanceTimersByTime(500)
  expect(await says()).toEqual([ANEW, { agents: [] }])
  vi.advanceTimersByTime(1000)
  expect(await says()).toEqual([])
})

test('those that were deleted before, or while, a call was done are written anew before it is answered', async () => {
  const { folder, says, ask } = await serve()
  await says()
  const remove = () => rmSync(path.join(folder, 'hub.db'))
  remove()
  ask('removeAgent', NOBODY)
  expect(await says()).toEqual([ANEW, { id: 1, result: false }])
  const spy = vi.spyOn(Store.prototype, 'removeAgent').mockImplementation(() => (remove(), true))
  onTestFinished(() => spy.mockRestore())
  ask('removeAgent', NOBODY)
  expect(await says()).toEqual([ANEW, { id: 2, result: true }])
})

test('what could not be found again is refused and not done, and why is told once, until it is over', async () => {
  const { folder, says, ask } = await serve()
  expect(await says()).toEqual([{ agents: [] }])
  const [file, old] = [path.join(folder, 'hub.db'), path.join(folder, 'old')]
  const replaced = {
    log: `[x] The hub can save nothing: its database was replaced. Restart the hub to go on with what is in ${folder} now; or remove hub.db there, and it writes its own again`,
  }
  const done = vi.spyOn(Store.prototype, 'removeAgent')
  onTestFinished(() => done.mockRestore())
  for (const call of [1, 2]) {
    renameSync(file, old)
    writeFileSync(file, 'another')
    ask('removeAgent', NOBODY)
    const failure = { kind: 'storage', reason: 'its database was replaced' }
    expect(await says()).toEqual([replaced, { id: call, failure }])
    vi.advanceTimersByTime(1000)
    expect(await says()).toEqual([])
    renameSync(old, file)
    vi.advanceTimersByTime(500)
    expect(await says()).toEqual([])
  }
  expect(done).not.toHaveBeenCalled()
})

test('so is a database that can’t be opened', async () => {
  const folder = scratchFolder()
  writeFileSync(path.join(folder, 'hub.db'), 'not a database, but long enough to be one '.repeat(100))
  const { says } = await serve(folder)
  const reason = `Could not open ${path.join(folder, 'hub.db')}: file is not a database`
  expect(await says()).toEqual([{ ended: { kind: 'damaged', reason } }])
})

test('when it is to close, it lets go of all', async () => {
  const { folder, port, says } = await serve()
  await says()
  expect(vi.getTimerCount()).toBe(1)
  const closed = vi.fn()
  port.on('close', closed)
  port.postMessage('close')
  expect(await says()).toEqual([])
  expect(closed).toHaveBeenCalledOnce()
  expect([vi.getTimerCount(), readdirSync(folder)]).toEqual([0, ['hub.db']])
})
