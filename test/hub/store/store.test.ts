import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Store } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { runFixture } from '../../fixtures/run-fixture.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

async function open(folder = scratchFolder()): Promise<Store> {
  const store = await Store.open(folder)
  onTestFinished(() => {
    try {
      store.close()
    } catch {
      // The test has closed it.
    }
  })
  return store
}

function machine(label = 'ada') {
  const key = { kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') } as const
  return { key, agent: agentIdOf(key), label }
}

const HOUR = 3_600_000

describe('a join token', () => {
  test('is known by its hash only', async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    const { token } = store.createToken({ ttlMs: HOUR, uses: 1 })
    store.close()
    expect(token).toMatch(/^tok_[0-9a-f]{40}$/)
    expect(readFileSync(path.join(folder, 'hub.db')).includes(token)).toBe(false)
  })

  test('lets in as many as it has uses', async () => {
    const store = await open()
    const { token, id } = store.createToken({ ttlMs: HOUR, uses: 2 })
    const [one, other, third] = [machine(), machine(), machine()]
    const joined = [one, other, third].map((machine) => store.join({ ...machine, token })?.id)
    expect(joined).toEqual([one.agent, other.agent, undefined])
    expect(store.tokens()).toMatchObject([{ id, usesLeft: 0, state: 'used up' }])
    expect(store.agents()).toHaveLength(2)
  })

  test('is spent once by a machine that joins twice: its first answer may have been lost', async () => {
    const store = await open()
    const { token } = store.createToken({ ttlMs: HOUR, uses: 2 })
    const one = machine()
    const first = store.join({ ...one, token })
    expect(first).toMatchObject({ id: one.agent, key: one.key, revoked: false })
    expect(store.join({ ...one, token })).toEqual(first)
    expect(store.tokens()).toMatchObject([{ usesLeft: 1, state: 'valid' }])
  })

  test('is of no use at the very moment it expires', async () => {
    const store = await open()
    const now = Date.now()
    const { token } = store.createToken({ ttlMs: HOUR, uses: 5, now })
    expect(store.join({ ...machine(), token, now: now + HOUR - 1 })).toBeDefined()
    expect(store.join({ ...machine(), token, now: now + HOUR })).toBeUndefined()
    expect(store.tokens(now + HOUR)).toMatchObject([{ state: 'expired', usesLeft: 4 }])
  })

  test('is of no use once it is revoked; those who are in stay', async () => {
    const store = await open()
    const { token, id } = store.createToken({ ttlMs: HOUR, uses: 5 })
    const early = machine()
    store.join({ ...early, token })
    store.revokeToken(id)
    store.revokeToken(id)
    expect(store.tokens()).toMatchObject([{ id, state: 'revoked' }])
    expect(store.join({ ...machine(), token })).toBeUndefined()
    expect(store.agents()).toMatchObject([{ id: early.agent, revoked: false }])
  })

  test('is not let through by an id, or a wrong token', async () => {
    const store = await open()
    const { token, id } = store.createToken({ ttlMs: HOUR, uses: 5 })
    for (const wrong of [id, '', `${token}0`, token.slice(0, -1), token.toUpperCase(), '%'])
      expect(store.join({ ...machine(), token: wrong })).toBeUndefined()
  })

  test('tells how it stands to whoever has it, and to nobody who has its id or guesses', async () => {
    const store = await open()
    const made = () => store.createToken({ ttlMs: HOUR, uses: 1 })
    const [valid, used, revoked] = [made(), made(), made()]
    const expired = store.createToken({ ttlMs: -1, uses: 1 })
    store.join({ ...machine(), token: used.token })
    store.revokeToken(revoked.id)
    const states = [valid, used, revoked, expired].map(({ token }) => store.tokenState(token))
    expect(states).toEqual(['valid', 'used up', 'revoked', 'expired'])
    expect(store.tokenState(valid.token, [valid.id])).toBe('revoked')
    for (const wrong of [used.id, '', `${used.token}0`, used.token.toUpperCase(), '%'])
      expect(store.tokenState(wrong)).toBeUndefined()
  })

  test('raced by two processes lets in no more than its uses', async () => {
    const folder = scratchFolder()
    const { token } = (await open(folder)).createToken({ ttlMs: HOUR, uses: 25 })
    const racers = [0, 1].map(() => runFixture('join-race.ts', [folder, token, '20']))
    const joined = await Promise.all(racers.map((racer) => racer.printed(/joined (\d+)/)))
    expect(joined.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(25)
    expect((await open(folder)).agents()).toHaveLength(25)
  })
})

describe('a machine', () => {
  test('that is revoked cannot come back with the same key, and its names are free', async () => {
    const store = await open()
    const { token } = store.createToken({ ttlMs: HOUR, uses: 5 })
    const one = machine()
    store.join({ ...one, token })
    const service = { workspace: 'default', name: 'web', agent: one.agent, port: 80 }
    store.setAgent(one.agent, one.label, [service])
    expect(store.snapshot().services).toEqual([service])
    store.revokeAgent(one.agent)
    expect(store.agents()).toMatchObject([{ id: one.agent, revoked: true }])
    expect(store.snapshot().services).toEqual([])
    expect(store.join({ ...one, token })).toBeUndefined()
  })

  test('that has logged out is forgotten, with its names', async () => {
    const store = await open()
    const one = machine()
    store.join({ ...one, token: store.createToken({ ttlMs: HOUR, uses: 1 }).token })
    store.setAgent(one.agent, one.label, [{ workspace: 'default', name: 'web', agent: one.agent, port: 80 }])
    store.removeAgent(one.agent)
    expect(store.snapshot()).toMatchObject({ agents: [], services: [] })
  })

  test('that is revoked or gone gets no names and no label', async () => {
    const store = await open()
    const { token } = store.createToken({ ttlMs: HOUR, uses: 2 })
    const [one, other] = [machine(), machine()]
    for (const joining of [one, other]) store.join({ ...joining, token })
    store.revokeAgent(one.agent)
    store.removeAgent(other.agent)
    for (const { agent } of [one, other]) {
      const services = [{ workspace: 'default', name: 'web', agent, port: 80 }]
      expect(store.setAgent(agent, 'new', services)).toBe(false)
    }
    expect(store.snapshot()).toMatchObject({ agents: [{ label: one.label, revoked: true }], services: [] })
  })

  test('that is removed is forgotten; that it was revoked is not, until it has joined anew', async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    const { token } = store.createToken({ ttlMs: HOUR, uses: 9 })
    const [plain, revoked, unsaved] = [machine(), machine(), machine()]
    for (const joining of [plain, revoked, unsaved]) store.join({ ...joining, token })
    store.revokeAgent(revoked.agent)
    expect(store.removeAgent(plain.agent)).toBe(true)
    expect(store.removeAgent(revoked.agent)).toBe(true)
    expect(store.removeAgent(unsaved.agent, true)).toBe(true)
    expect(store.removeAgent(unsaved.agent, true)).toBe(false)
    const kept = () => {
      const database = new DatabaseSync(path.join(folder, 'hub.db'), { readOnly: true })
      const ids = database
        .prepare('SELECT id FROM removed_revoked')
        .all()
        .map(({ id }) => id)
      database.close()
      return ids.map(String).toSorted((one, other) => (one < other ? -1 : 1))
    }
    expect(store.agents()).toEqual([])
    expect(kept()).toEqual([revoked.agent, unsaved.agent].toSorted())
    store.join({ ...unsaved, token })
    expect(kept()).toEqual([revoked.agent])
  })

  test('is known to have been there, which is no change of what counts', async () => {
    const store = await open()
    const one = machine()
    store.join({ ...one, token: store.createToken({ ttlMs: HOUR, uses: 1 }).token })
    const { generation } = store.mark
    expect(store.agents()[0]!.lastSeen).toBeUndefined()
    store.setSeen(
      new Map([
        [one.agent, 1000],
        ['agent_0', 2000],
      ]),
    )
    expect(store.agents()).toMatchObject([{ id: one.agent, lastSeen: 1000 }])
    expect(store.mark.generation).toBe(generation)
  })

  test('that has logged out, which may not be saved yet, joins afresh', async () => {
    const store = await open()
    const { token } = store.createToken({ ttlMs: HOUR, uses: 2 })
    const one = machine()
    store.join({ ...one, token })
    expect(store.join({ ...one, label: 'eve', token, isAfresh: true })).toMatchObject({ label: 'eve' })
    expect(store.agents()).toMatchObject([{ id: one.agent, label: 'eve' }])
    expect(store.tokens()).toMatchObject([{ usesLeft: 0 }])
  })

  test('that is to join afresh, and is refused, is there as before', async () => {
    const store = await open()
    const { token } = store.createToken({ ttlMs: HOUR, uses: 1 })
    const one = machine()
    store.join({ ...one, token })
    store.revokeAgent(one.agent)
    expect(store.join({ ...one, token, isAfresh: true })).toBeUndefined()
    expect(store.agents()).toMatchObject([{ id: one.agent, revoked: true }])
  })

  test.for(['revokeAgent', 'revokeToken'] as const)(
    'that is unknown is told from others: %s',
    async (method) => {
      const store = await open()
      expect(store[method]('agent_0000000000000000')).toBe(false)
    },
  )

  test('keeps all it is told, whatever characters it holds', async () => {
    const store = await open()
    const label = `'; DROP TABLE agents; -- "\u0000\u001b💥`
    const one = machine(label)
    store.join({ ...one, token: store.createToken({ ttlMs: HOUR, uses: 1 }).token })
    expect(store.agents()).toMatchObject([{ label }])
    expect(store.setAgent(one.agent, 'b', [])).toBe(true)
    expect(store.agents()).toMatchObject([{ label: 'b' }])
  })
})

test('everything is there again after it was opened anew, and its files are for us alone', async () => {
  const folder = scratchFolder()
  const store = await open(folder)
  const one = machine()
  store.join({ ...one, token: store.createToken({ ttlMs: HOUR, uses: 1 }).token })
  const before = store.snapshot()
  for (const file of ['hub.db', 'hub.db-wal', 'hub.db-shm'])
    expect(statSync(path.join(folder, file)).mode & 0o777, file).toBe(0o600)
  store.close()
  expect((await open(folder)).snapshot()).toEqual(before)
})

test('its folder is made if need be, for us alone', async () => {
  const folder = path.join(scratchFolder(), 'new', 'hub')
  await open(folder)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})

test('where data is to be, a folder without any is not made a hub’s', async () => {
  const folder = scratchFolder()
  const error = await rejectionOf(Store.open(folder, { existing: true }))
  expect(error).toMatchObject({ code: 'HUB_DATA_MISSING', message: `There is no hub’s data in ${folder}` })
  expect(readdirSync(folder)).toEqual([])
  const store = await open(folder)
  const { hubId } = store.snapshot()
  store.close()
  const again = await Store.open(folder, { existing: true })
  onTestFinished(() => again.close())
  expect(again.snapshot().hubId).toBe(hubId)
})

test('what fails halfway is undone, and the next goes on as if it had not been', async () => {
  const store = await open()
  const { token } = store.createToken({ ttlMs: HOUR, uses: 3 })
  const one = machine()
  store.join({ ...one, token })
  // The token is spent by then.
  expect(() => store.join({ ...machine(), key: one.key, token })).toThrow('UNIQUE constraint failed')
  expect(store.tokens()).toMatchObject([{ usesLeft: 2 }])
  const other = machine()
  expect(store.join({ ...other, token })?.id).toBe(other.agent)
})

test('a statement is compiled once', async () => {
  const store = await open()
  const compiled = vi.spyOn(DatabaseSync.prototype, 'prepare')
  onTestFinished(() => compiled.mockRestore())
  for (let turn = 0; turn < 3; turn++) store.agents()
  expect(compiled).toHaveBeenCalledOnce()
})

test('a database that another one is writing to is waited for', async () => {
  const folder = scratchFolder()
  const store = await open(folder)
  const writer = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
    const database = new (require('node:sqlite').DatabaseSync)(workerData)
    database.exec('BEGIN IMMEDIATE')
    parentPort.postMessage('begun')
    setTimeout(() => database.exec('COMMIT'), 100)`,
    { eval: true, workerData: path.join(folder, 'hub.db') },
  )
  await once(writer, 'message')
  store.createToken({ ttlMs: HOUR, uses: 1 })
  expect(store.tokens()).toHaveLength(1)
  await once(writer, 'exit')
})

test('a change by another process is noticed', async () => {
  const folder = scratchFolder()
  const [one, other] = [await open(folder), await open(folder)]
  const seen = one.dataVersion()
  expect(one.dataVersion()).toBe(seen)
  other.createToken({ ttlMs: HOUR, uses: 1 })
  expect(one.dataVersion()).not.toBe(seen)
})

describe('a database that is held', () => {
  test('goes on in files that are there, after what was deleted', async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    expect(store.hold()).toBe(false)
    const { token } = store.createToken({ ttlMs: HOUR, uses: 2 })
    const [one, other] = [machine(), machine()]
    store.join({ ...one, token })
    rmSync(path.join(folder, 'hub.db'))
    const closed = vi.spyOn(DatabaseSync.prototype, 'close')
    onTestFinished(() => closed.mockRestore())
    expect(store.hold()).toBe(true)
    expect(closed).toHaveBeenCalledOnce()
    expect(store.hold()).toBe(false)
    store.join({ ...other, token })
    const found = (await open(folder)).agents().map(({ id }) => id)
    expect(found).toEqual([one.agent, other.agent])
  })

  test('is looked through when it was written anew', async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    store.hold()
    rmSync(path.join(folder, 'hub.db'))
    const damage = new Error('what SQLite says')
    vi.spyOn(store, 'check').mockImplementation(() => {
      throw damage
    })
    expect(() => store.hold()).toThrow(damage)
  })
})

describe('a service without a port', () => {
  const versionOf = (folder: string) => {
    const database = new DatabaseSync(path.join(folder, 'hub.db'))
    const { user_version: version } = database.prepare('PRAGMA user_version').get()!
    database.close()
    return version
  }

  test('is kept with all that was there, and only then the database is one that older hubs refuse', async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    const { token } = store.createToken({ ttlMs: HOUR, uses: 2 })
    const [one, other] = [machine(), machine('eve')]
    const service = (agent: string, name: string, port?: number) => ({
      workspace: 'default',
      name,
      agent,
      port,
    })
    const [web, api] = [service(one.agent, 'web', 80), service(other.agent, 'api', 81)]
    for (const joining of [one, other]) store.join({ ...joining, token })
    store.setAgent(one.agent, one.label, [web])
    store.setAgent(other.agent, other.label, [api])
    expect(versionOf(folder)).toBe(1)
    const socket = service(one.agent, 'socket')
    for (const services of [
      [web, socket],
      [socket, web],
      [web, socket],
    ])
      expect(store.setAgent(one.agent, one.label, services)).toBe(true)
    expect(versionOf(folder)).toBe(2)
    store.close()
    const again = await open(folder)
    expect(again.snapshot().services.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      api,
      socket,
      web,
    ])
    // What hangs on the agent still goes with it.
    again.removeAgent(one.agent)
    expect(again.snapshot().services).toEqual([api])
  })

  test('of an agent that is gone changes nothing', async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    const service = { workspace: 'default', name: 'socket', agent: 'agent_0' }
    expect(store.setAgent('agent_0', 'gone', [service])).toBe(false)
    expect(versionOf(folder)).toBe(1)
  })

  test('that can’t be saved leaves the database as it was', async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    const one = machine()
    store.join({ ...one, token: store.createToken({ ttlMs: HOUR, uses: 1 }).token })
    const service = { workspace: 'default', name: 'web', agent: one.agent, port: 80 }
    store.setAgent(one.agent, one.label, [service])
    // Behind the change of the tables, and no such workspace.
    const socket = { ...service, name: 'socket', port: undefined }
    expect(() => store.setAgent(one.agent, one.label, [socket, { ...service, workspace: 'x' }])).toThrow()
    expect(versionOf(folder)).toBe(1)
    expect(store.snapshot().services).toEqual([service])
  })
})

describe('the generation of a database', () => {
  test('grows with each change, and with nothing that is refused', async () => {
    const store = await open()
    const generations: number[] = []
    const note = () => generations.push(store.mark.generation)
    note()
    const one = machine()
    const { id, token } = store.createToken({ ttlMs: HOUR, uses: 2 })
    note()
    store.join({ ...one, token })
    note()
    store.setAgent(one.agent, 'new', [])
    note()
    store.revokeToken(id)
    note()
    store.revokeAgent(one.agent)
    note()
    store.removeAgent(one.agent)
    note()
    expect(generations).toEqual([0, 1, 2, 3, 4, 5, 6])
    store.join({ ...machine(), token })
    store.removeAgent(one.agent)
    store.revokeToken('jt_0')
    expect(store.mark.generation).toBe(6)
  })

  test('is counted from 0 in one of a version that did not count', async () => {
    const folder = scratchFolder()
    ;(await open(folder)).close()
    const database = new DatabaseSync(path.join(folder, 'hub.db'))
    database.exec('ALTER TABLE hub DROP COLUMN generation')
    const { id } = database.prepare('SELECT * FROM hub').get()!
    database.close()
    const store = await open(folder)
    expect(store.mark).toEqual({ id, generation: 0 })
    store.createToken({ ttlMs: HOUR, uses: 1 })
    expect(store.mark).toEqual({ id, generation: 1 })
  })
})

describe('a database that cannot be used is an error, and is not touched:', () => {
  const whole = async () => {
    const folder = scratchFolder()
    const store = await open(folder)
    for (let turn = 0; turn < 200; turn++) store.createToken({ ttlMs: HOUR, uses: 1 })
    store.close()
    return path.join(folder, 'hub.db')
  }

  test('one of a newer version', async () => {
    const file = await whole()
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    const before = readFileSync(file)
    const error = await rejectionOf(Store.open(path.dirname(file)))
    expect(error.code).toBe('HUB_DATA_DAMAGED')
    expect(error.message).toBe('The hub’s database was written by a newer version')
    expect(error.hints).toEqual([
      'Upgrade it by a newer version’s tarball: npm install -g ./private-connect-VERSION.tgz',
    ])
    expect(readFileSync(file)).toEqual(before)
    // Its journal is not left open either.
    expect(readdirSync(path.dirname(file))).toEqual(['hub.db'])
  })

  test.for<[string, (file: string) => void]>([
    [
      'one that is no database',
      (file) => writeFileSync(file, 'not a database, but long enough to be one '.repeat(100)),
    ],
    ['one whose header is gone', (file) => writeFileSync(file, readFileSync(file).fill(0, 0, 100))],
    ['one that was cut short', (file) => truncateSync(file, 4096 + 100)],
    ['one cut short after its first page', (file) => truncateSync(file, 4096)],
    ['one with noise in its pages', (file) => writeFileSync(file, readFileSync(file).fill(0xa5, 4096))],
  ])('%s', async ([, spoil]) => {
    const file = await whole()
    spoil(file)
    const copy = `${file}.copy`
    copyFileSync(file, copy)
    const opened = Store.open(path.dirname(file)).then((store) => {
      try {
        return store.snapshot()
      } finally {
        store.close()
      }
    })
    const error = await rejectionOf(opened)
    expect(error.code).toBe('HUB_DATA_DAMAGED')
    expect(error.message).toContain(file)
    expect(readFileSync(file)).toEqual(readFileSync(copy))
  })

  test('and is not held open', async () => {
    const folder = scratchFolder()
    writeFileSync(path.join(folder, 'hub.db'), 'not a database, but long enough to be one '.repeat(100))
    const closed = vi.spyOn(DatabaseSync.prototype, 'close')
    onTestFinished(() => closed.mockRestore())
    await rejectionOf(Store.open(folder))
    expect(closed).toHaveBeenCalledOnce()
  })

  test('a folder in its place', async () => {
    const folder = scratchFolder()
    mkdirSync(path.join(folder, 'hub.db'))
    const error = await rejectionOf(Store.open(folder))
    expect(error.code).toBe('HUB_DATA_DAMAGED')
    expect(error.message).toContain('EISDIR')
  })

  test('someone else’s database', async () => {
    const folder = scratchFolder()
    const database = new DatabaseSync(path.join(folder, 'hub.db'))
    database.exec('CREATE TABLE agents (name TEXT)')
    database.close()
    expect((await rejectionOf(Store.open(folder))).code).toBe('HUB_DATA_DAMAGED')
  })
})

test('an empty file is a new database', async () => {
  const folder = scratchFolder()
  writeFileSync(path.join(folder, 'hub.db'), '')
  expect((await open(folder)).snapshot()).toMatchObject({
    hubId: expect.stringMatching(/^hub_[0-9a-f]{16}$/),
    agents: [],
  })
})
