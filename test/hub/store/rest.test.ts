import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { MessageChannel, type Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { isAtRest, type Rest } from '../../../src/hub/store/rest.ts'
import { serveStore } from '../../../src/hub/store/store-server.ts'
import { StoreThread } from '../../../src/hub/store/store-thread.ts'
import { Store, type Agent } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { fsCalls } from '../../fixtures/fs-calls.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { turns } from '../../tunnel/helpers/simulated-wire.ts'

const NOBODY = 'agent_0000000000000000'
const HOUR = 3_600_000
const POLL = { timeout: 30_000, interval: 20 }
const LOOK_MS = 500
const LOOKS = 11

/** A hub's database that nobody has changed for a minute, with a machine in it, and a token for more. */
async function quietFolder() {
  const folder = path.join(scratchFolder(), 'hub')
  const store = await Store.open(folder)
  const { token } = store.createToken({ ttlMs: HOUR, uses: 50 })
  store.join({ ...machine('ada'), token })
  store.close()
  const file = path.join(folder, 'hub.db')
  age(file)
  return { folder, file, token }
}

function age(file: string): void {
  const then = Date.now() / 1000 - 60
  utimesSync(file, then, then)
}

function machine(label: string) {
  const key = { kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') } as const
  return { key, agent: agentIdOf(key), label }
}

/** How it is left by someone who has opened it, whose descriptor is open until the end of the test. */
async function leave(folder: string): Promise<Rest> {
  const store = await Store.open(folder)
  const rest = store.rest(store.settle()!)
  onTestFinished(() => closeSync(rest.descriptor))
  return rest
}

/** The machines that a hub that started now would know. */
async function found(folder: string): Promise<string[]> {
  const store = await Store.open(folder)
  try {
    return store.agents().map(({ label }) => label)
  } finally {
    store.close()
  }
}

/** The far end of a store's port, until the end of the test, and a clock that stands still. */
async function serve(folder: string, rest?: Rest) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const { port1, port2 } = new MessageChannel()
  const heard: unknown[] = []
  port2.on('message', (message: object) => {
    if ('rest' in message) onTestFinished(() => closeSync((message.rest as Rest).descriptor))
    heard.push(message)
  })
  onTestFinished(async () => {
    port2.postMessage('close')
    await turns(20)
  })
  await serveStore(folder, port1, rest)
  /** What it has said since the last call; both ends are in this thread, so all has come after some turns. */
  const says = async () => {
    await turns(20)
    return heard.splice(0)
  }
  let calls = 0
  const ask = (method: string, ...args: unknown[]) => port2.postMessage({ id: ++calls, method, args })
  const look = (times = 1) => vi.advanceTimersByTime(times * LOOK_MS)
  return { says, ask, look }
}

const AGENTS = { agents: [expect.objectContaining({ label: 'ada' })] }
const ANEW = {
  log: expect.stringMatching(/^\[!\] Files of the hub’s database were deleted .* anew/) as string,
}
const OVERWRITTEN = { log: expect.stringContaining('its database was overwritten. Its machines') as string }
const OLDER = {
  log: '[!] An older copy of the hub’s database was put in its place, in which used and revoked join tokens were valid again. All of them are revoked now. Make a new one with: connect hub token create',
}
const REPLACED = { log: expect.stringContaining('its database was replaced. Restart the hub') as string }

describe('a store of which nothing is asked', () => {
  test('closes its database after 5 s in one file, tells how it was left, and ends', async () => {
    const { folder, file } = await quietFolder()
    const { says, look } = await serve(folder)
    look(LOOKS - 1)
    expect(await says()).toEqual([AGENTS])
    look()
    const [left] = (await says()) as [{ rest: Rest }]
    expect(left).toEqual({
      rest: {
        file,
        descriptor: expect.any(Number),
        state: expect.stringContaining(`:${statSync(file).ino}:`),
        mark: { id: expect.stringMatching(/^hub_/), generation: 2 },
      },
    })
    expect(await isAtRest(left.rest)).toBe(true)
    expect([readdirSync(folder), vi.getTimerCount()]).toEqual([['hub.db'], 0])
  })

  test('waits for that from the last call, or change, on', async () => {
    const { folder } = await quietFolder()
    const { says, ask, look } = await serve(folder)
    look(LOOKS - 1)
    ask('revokeAgent', NOBODY)
    await says()
    look(LOOKS - 1)
    const store = await Store.open(folder)
    store.createToken({ ttlMs: HOUR, uses: 1 })
    store.close()
    look(LOOKS - 1)
    age(path.join(folder, 'hub.db'))
    expect(await says()).toEqual([AGENTS])
    look(2)
    expect(await says()).toEqual([{ rest: expect.anything() }])
  })

  test('stays as long as a change could come at the same time as the last one', async () => {
    const { folder, file, token } = await quietFolder()
    const { says, ask, look } = await serve(folder)
    ask('join', { ...machine('bob'), token })
    await says()
    look(LOOKS + 10)
    expect(await says()).toEqual([])
    age(file)
    look()
    expect(await says()).toEqual([{ rest: expect.anything() }])
    expect(await found(folder)).toEqual(['ada', 'bob'])
  })

  test('stays as long as someone who reads has it keep what was written out of the one file', async () => {
    const { folder, file, token } = await quietFolder()
    const { says, ask, look } = await serve(folder)
    const { DatabaseSync } = await import('node:sqlite')
    const reader = new DatabaseSync(file)
    onTestFinished(() => reader.close())
    reader.exec('BEGIN; SELECT * FROM agents')
    ask('join', { ...machine('bob'), token })
    await says()
    age(file)
    look(LOOKS + 10)
    expect(await says()).toEqual([])
    reader.exec('COMMIT')
    look()
    age(file)
    look()
    expect(await says()).toEqual([{ rest: expect.anything() }])
  })
})

describe('a database at rest', () => {
  test('is opened when a store begins, which then tells what is in it', async () => {
    const { folder, token } = await quietFolder()
    const { says, ask } = await serve(folder, await leave(folder))
    ask('join', { ...machine('bob'), token })
    expect(await says()).toEqual([AGENTS, { id: 1, result: expect.objectContaining({ label: 'bob' }) }])
  })

  test('that was deleted is written anew, whole and for us alone', async () => {
    const { folder, file, token } = await quietFolder()
    const rest = await leave(folder)
    rmSync(file)
    const { says, ask, look } = await serve(folder, rest)
    expect(await says()).toEqual([ANEW, AGENTS])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    ask('join', { ...machine('bob'), token })
    await says()
    // The next time it is another file that is held.
    look(LOOKS)
    age(file)
    look()
    const [next] = (await says()) as [{ rest: Rest }]
    expect(next.rest.descriptor).not.toBe(rest.descriptor)
    rmSync(file)
    const again = await serve(folder, next.rest)
    expect(await again.says()).toMatchObject([ANEW, { agents: [{ label: 'ada' }, { label: 'bob' }] }])
  })

  test('that could not be written anew is, once there is room again, and that is told then', async () => {
    const { folder, file } = await quietFolder()
    const rest = await leave(folder)
    rmSync(folder, { recursive: true })
    const { says, ask, look } = await serve(folder, rest)
    ask('removeAgent', NOBODY)
    const reason = 'its folder was deleted'
    expect(await says()).toEqual([
      { log: expect.stringContaining(`${reason}. Make ${folder} again`) },
      { id: 1, failure: { kind: 'storage', reason } },
    ])
    mkdirSync(folder, { mode: 0o700 })
    look()
    expect(await says()).toEqual([ANEW, AGENTS])
    expect(readdirSync(folder)).toContain(path.basename(file))
  })

  test('that can’t be opened is opened once it can, and what is asked of it meanwhile is refused', async () => {
    const { folder, file } = await quietFolder()
    const rest = await leave(folder)
    mkdirSync(`${file}-wal`)
    const { says, ask, look } = await serve(folder, rest)
    ask('removeAgent', NOBODY)
    const reason = 'its database can’t be opened'
    expect(await says()).toEqual([
      { log: `[x] The hub can save nothing: ${reason}. It tries again` },
      { id: 1, failure: { kind: 'storage', reason } },
    ])
    rmSync(`${file}-wal`, { recursive: true })
    look()
    expect(await says()).toEqual([AGENTS])
  })

  test('is not what someone has put in its place', async () => {
    const { folder, file } = await quietFolder()
    const rest = await leave(folder)
    renameSync(file, `${file}.old`)
    writeFileSync(file, 'another')
    const { says, ask, look } = await serve(folder, rest)
    ask('removeAgent', NOBODY)
    const failure = { kind: 'storage', reason: 'its database was replaced' }
    expect(await says()).toEqual([REPLACED, { id: 1, failure }])
    expect(statSync(file).size).toBe(7)
    renameSync(`${file}.old`, file)
    look()
    expect(await says()).toEqual([AGENTS])
  })

  test.for<[string, (file: string) => Promise<void> | void]>([
    ['nothing', (file) => truncateSync(file)],
    ['another hub’s', async (file) => copyFileSync((await quietFolder()).file, file)],
  ])('is not what someone has written into it: %s', async ([, overwrite]) => {
    const { folder, file } = await quietFolder()
    const rest = await leave(folder)
    const before = readFileSync(file)
    await overwrite(file)
    const { says, ask, look } = await serve(folder, rest)
    ask('removeAgent', NOBODY)
    const failure = { kind: 'storage', reason: 'its database was overwritten' }
    expect(await says()).toEqual([OVERWRITTEN, { id: 1, failure }])
    writeFileSync(file, before)
    look()
    expect(await says()).toEqual([AGENTS])
  })

  test('into which an older copy was written has all its join tokens revoked, and that is told once', async () => {
    const { folder, file, token } = await quietFolder()
    const older = readFileSync(file)
    const store = await Store.open(folder)
    store.join({ ...machine('bob'), token })
    store.close()
    age(file)
    const rest = await leave(folder)
    writeFileSync(file, older)
    const { says, ask } = await serve(folder, rest)
    expect(await says()).toEqual([OLDER, AGENTS])
    ask('join', { ...machine('cid'), token })
    expect(await says()).toEqual([{ id: 1, result: undefined }])
    // So it is older no more.
    const now = await Store.open(folder)
    onTestFinished(() => now.close())
    expect(now.mark.generation).toBeGreaterThan(rest.mark.generation)
  })

  test.for([
    ['written to', (file: string) => appendFileSync(file, 'x')],
    ['deleted', (file: string) => rmSync(file)],
    ['opened', (file: string) => writeFileSync(`${file}-wal`, '')],
  ] as const)('is one no more when it was %s', async ([, change]) => {
    const { folder, file } = await quietFolder()
    const rest = await leave(folder)
    expect(await isAtRest(rest)).toBe(true)
    change(file)
    expect(await isAtRest(rest)).toBe(false)
  })
})

describe('a thread for a database at rest', () => {
  /** All that it tells until the end of the test, and the workers that it starts. */
  async function start(folder: string) {
    const store = await Store.open(folder)
    const rest = store.rest(store.settle()!)
    const workers: Worker[] = []
    const note = (worker: Worker) => void workers.push(worker)
    process.on('worker', note)
    onTestFinished(() => void process.off('worker', note))
    const told: Agent[][] = []
    const log: string[] = []
    const thread = new StoreThread(
      folder,
      {
        agents: (agents) => void told.push(agents),
        log: (line) => void log.push(line),
        damaged: (error) => void log.push(error.message),
      },
      rest,
    )
    onTestFinished(() => thread.close())
    return { thread, workers, told, log, rest }
  }

  test('is started by the first call, and ends when it is asked nothing more', async () => {
    const { folder, file, token } = await quietFolder()
    const { thread, workers } = await start(folder)
    await turns(20)
    expect(workers).toEqual([])
    await thread.call('join', { ...machine('bob'), token })
    const timer = setInterval(() => age(file), LOOK_MS)
    onTestFinished(() => clearInterval(timer))
    const ended = once(workers[0]!, 'exit')
    const answer = new Promise((resolve) => {
      workers[0]!.on('message', (message: object) => {
        // It does not see that any more, but another one does.
        if ('rest' in message) resolve(thread.call('join', { ...machine('cid'), token }))
      })
    })
    expect(await ended).toEqual([0])
    expect(await answer).toMatchObject({ label: 'cid' })
    expect(workers).toHaveLength(2)
    await thread.close()
    expect(await found(folder)).toEqual(['ada', 'bob', 'cid'])
  }, 60_000)

  test('is started by another process’s change, and tells it', async () => {
    const { folder, token } = await quietFolder()
    const { told } = await start(folder)
    const store = await Store.open(folder)
    onTestFinished(() => store.close())
    store.join({ ...machine('bob'), token })
    await expect.poll(() => told.at(-1), POLL).toMatchObject([{ label: 'ada' }, { label: 'bob' }])
  })

  test('has it written anew when it is deleted, though nobody asks for anything', async () => {
    const { folder, file } = await quietFolder()
    const { log } = await start(folder)
    rmSync(file)
    await expect.poll(() => log, POLL).toEqual([ANEW.log])
    expect(await found(folder)).toEqual(['ada'])
  })

  test('that can’t be started refuses what it was asked, and is started when it can', async () => {
    const { folder } = await quietFolder()
    const { thread, rest } = await start(folder)
    // As where there may be no more threads, Node.js throws at once: this can't be sent to one.
    const spoiled = Object.assign(rest, { more: () => {} })
    const refused = thread.call('removeAgent', NOBODY)
    const message = expect.stringMatching(/^its database thread could not start: /) as string
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', kind: 'storage', message })
    Reflect.deleteProperty(spoiled, 'more')
    expect(await thread.call('revokeAgent', NOBODY)).toBe(false)
  })

  test('lets go of it when it is closed, and looks at nothing more', async () => {
    const { folder } = await quietFolder()
    const { thread, workers, rest } = await start(folder)
    const lines = fsCalls(['closeSync'])
    await thread.close()
    await thread.close()
    expect(lines).toEqual([`closeSync ${rest.descriptor}`])
    rmSync(rest.file)
    await turns(20)
    expect(workers).toEqual([])
  })
})
