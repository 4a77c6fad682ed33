import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { writeServices } from '../../src/config/services.ts'
import { tryLock } from '../../src/files/lock.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { lastLines } from '../fixtures/last-lines.ts'
import { NOT_CONFIGURED } from '../fixtures/product/not-configured.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

let world: World
let echo: TestServer

beforeAll(async () => {
  world = await World.start()
  echo = await echoServer()
})

afterAll(async () => {
  await world.stop()
  await echo.close()
})

interface Services {
  readonly exposed: { name: string; host: string; port: number }[]
  readonly offered: { name: string; label: string; online: boolean }[] | null
}

async function servicesOf(home: Home): Promise<Services> {
  return JSON.parse(await connectOk(home, ['services', '--json'])) as Services
}

describe('with an agent', () => {
  test('expose says [ok] once the hub has confirmed, and it survives a restart', async () => {
    const home = await joined(world, 'ada')
    await connectOk(home, ['daemon', 'start'])
    const target = `127.0.0.1:${echo.port}`
    expect(await connect(home, ['expose', target, '--name', 'postgres'])).toMatchObject({
      code: 0,
      stdout: `[ok] Exposing ${target} as postgres\n`,
      stderr: '',
    })
    const listed = await connectOk(home, ['services'])
    expect(listed).toMatch(
      new RegExp(`^Exposed by this machine:\\n(?:.*\\n)? {2}postgres +${target} +answers\\n`),
    )
    expect(listed).toMatch(/^ {2}postgres +\d+ +ada +agent_[0-9a-f]{16} +online$/m)
    await connectOk(home, ['daemon', 'restart'])
    expect(await servicesOf(home)).toMatchObject({
      exposed: [{ name: 'postgres', host: '127.0.0.1', port: echo.port }],
      offered: [expect.objectContaining({ name: 'postgres', label: 'ada', online: true })],
    })
    expect(await connectOk(home, ['unexpose', 'postgres'])).toBe('[ok] postgres is no longer exposed\n')
    expect(await connectOk(home, ['unexpose', 'postgres'])).toBe('postgres was not exposed here\n')
    expect(await servicesOf(home)).toEqual({ exposed: [], offered: [], warnings: [] })
  })

  test('a name that gets another target says which it had before', async () => {
    const home = await joined(world, 'mover')
    const exposes = (target: string) => connectOk(home, ['expose', target, '--name', 'moved'])
    expect(await exposes('81')).toBe('Saved: localhost:81 as moved\n')
    expect(await exposes('82')).toBe('Saved: localhost:82 as moved (was localhost:81)\n')
    await connectOk(home, ['daemon', 'start'])
    expect(await exposes('localhost:82')).toBe('[ok] Exposing localhost:82 as moved\n')
    const file = home.file('none.sock')
    expect(await exposes(`unix:${file}`)).toBe(`[ok] Exposing unix:${file} as moved (was localhost:82)\n`)
    expect(await exposes('83')).toContain(` as moved (was unix:${file})\n`)
  })

  test('a name that another machine has is refused, and nothing is saved', async () => {
    const [first, second] = [await joined(world, 'first'), await joined(world, 'second')]
    for (const home of [first, second]) await connectOk(home, ['daemon', 'start'])
    await connectOk(first, ['expose', '80', '--name', 'taken'])
    const { code, stdout, stderr } = await connect(second, ['expose', '81', '--name', 'taken'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^\[x\] "taken" is already exposed by first \(agent_[0-9a-f]{16}\)\n {2}Choose another --name, or /,
    )
    expect((await servicesOf(second)).exposed).toEqual([])

    // It stays the first one's while that is away.
    await connectOk(first, ['daemon', 'stop'])
    expect((await connect(second, ['expose', '81', '--name', 'taken'])).code).toBe(1)
    expect((await servicesOf(second)).offered).toContainEqual(
      expect.objectContaining({ name: 'taken', label: 'first', online: false }),
    )
    const { stderr: reached } = await connect(second, ['reach', 'nothing-of-that-name'])
    expect(reached).toMatch(/^\[x\] There is no service "nothing-of-that-name"\n {2}\S/)
  })

  test('the same name again moves the service', async () => {
    const home = await joined(world)
    await connectOk(home, ['daemon', 'start'])
    await connectOk(home, ['expose', '3000', '--name', 'moving'])
    await connectOk(home, ['expose', '[::1]:3001', '--name', 'moving'])
    expect((await servicesOf(home)).exposed).toMatchObject([{ name: 'moving', host: '::1', port: 3001 }])
  })

  test('a name taken while this machine was away is told in its log', { tags: ['variation'] }, async () => {
    const [first, second] = [await joined(world, 'early'), await joined(world, 'late')]
    await connectOk(first, ['daemon', 'start'])
    await connectOk(first, ['expose', '80', '--name', 'disputed'])
    await connectOk(second, ['expose', '81', '--name', 'disputed'])
    await connectOk(second, ['daemon', 'start'])
    await expect
      .poll(() => readFileSync(second.file('daemon.log'), 'utf8'), { timeout: 30_000 })
      .toMatch(/\[!\] disputed is not offered: .*exposed by early/)
  })
})

describe('without an agent', () => {
  test('expose saves, and says how to start one', async () => {
    const home = await joined(world)
    const saved = await connect(home, ['expose', '3000', '--name', 'saved'])
    expect(saved).toMatchObject({ code: 0, stdout: 'Saved: localhost:3000 as saved\n' })
    expect(saved.stderr).toMatch(
      /^\[!\] No agent is running here, .*\n(?:\[!\] .*\n)* {2}Next: connect daemon start \(it does not come back after a reboot\)\n$/,
    )
    expect(JSON.parse(await connectOk(home, ['expose', '3001', '--name', 'saved', '--json']))).toMatchObject({
      name: 'saved',
      host: 'localhost',
      port: 3001,
      state: 'no agent',
    })
    expect((await servicesOf(home)).exposed).toEqual([
      {
        name: 'saved',
        host: 'localhost',
        port: 3001,
        path: null,
        answering: false,
        reason: expect.any(String),
      },
    ])
    expect(JSON.parse(await connectOk(home, ['unexpose', 'saved', '--json']))).toEqual({
      name: 'saved',
      removed: true,
      ended: 0,
      connections: 0,
      warnings: [],
    })
  })

  test('six commands at once lose nothing', { tags: ['variation'] }, async () => {
    const home = await joined(world)
    const names = Array.from({ length: 6 }, (_, index) => `service-${index}`)
    const results = await Promise.all(names.map((name) => connect(home, ['expose', '80', '--name', name])))
    expect(results.map(({ code }) => code)).toEqual(names.map(() => 0))
    expect((await servicesOf(home)).exposed.map(({ name }) => name)).toEqual(names)
  })

  test('a command waits for an agent that is just starting', { tags: ['variation'] }, async () => {
    const home = await joined(world)
    const starting = connectOk(home, ['daemon', 'start'])
    const results = await Promise.all(
      ['a', 'b', 'c'].map((name) => connect(home, ['expose', '80', '--name', `early-${name}`])),
    )
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
    await starting
    expect((await servicesOf(home)).exposed).toHaveLength(3)
  })

  test(
    'an agent that waited for the lock serves what was saved while it waited',
    { tags: ['variation'] },
    async () => {
      const home = await joined(world)
      const instance = instanceFor(undefined, home.folder)
      const lock = await tryLock(instance.lockFile)
      const agent = startConnect(home, ['up', '--hub', world.hubUrl], { env: { CONNECT_DAEMON: '1' } })
      onTestFinished(() => agent.stop())
      const logged = (text: string) =>
        waitFor(
          () => (lastLines(instance.logFile, 50).some((line) => line.includes(text)) ? true : undefined),
          {
            timeoutMs: 30_000,
          },
        )
      expect(await logged('Waiting for')).toBe(true)
      writeServices(instance, [{ name: 'late', host: 'localhost', port: 80 }])
      lock?.release()
      expect(await logged('[ok] Exposing late (localhost:80)')).toBe(true)
    },
  )
})

test.for([['expose', '80', '--name', 'web'], ['unexpose', 'web'], ['services'], ['reach', 'web']] as const)(
  '%s without a config says: run connect up',
  async (args) => {
    const home = emptyHome()
    expect(await connect(home, args)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: NOT_CONFIGURED,
    })
    expect(existsSync(home.file('services.json'))).toBe(false)
  },
)

test('a damaged list of services is not written over', async () => {
  const home = await joined(world)
  const damaged = '{"version":1,"services":[{"name":"web"}]}'
  writeFileSync(home.file('services.json'), damaged)
  for (const args of [['expose', '80', '--name', 'api'], ['unexpose', 'web'], ['services']]) {
    const { code, stderr } = await connect(home, args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] .*services\.json is damaged: services\.0\.host.*\n {2}\S.*\n$/)
  }
  expect(readFileSync(home.file('services.json'), 'utf8')).toBe(damaged)
})

test('services still shows what is exposed here when the hub is not there', async () => {
  const home = await joined(world)
  await connectOk(home, ['expose', '80', '--name', 'here'])
  const file = home.file('config.json')
  const config = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...config, hub: 'http://127.0.0.1:1' }))
  const { code, stdout, stderr } = await connect(home, ['services'])
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /^Exposed by this machine:\n(?:.*\n)? {2}here +localhost:80 +(?:answers|does not answer now: .*)\n$/,
  )
  expect(stderr).toMatch(/^\[!\] What the workspace offers is not known: Could not reach the hub at .*\n$/)
})
