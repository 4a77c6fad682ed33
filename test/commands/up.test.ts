import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

describe('up', () => {
  test('logs in if need be, runs until it is interrupted, and leaves nothing behind', async () => {
    const home = emptyHome()
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    const up = world.keep(startConnect(home, ['up', '--hub', world.hubUrl], { env }))
    await up.printed(/\[ok\] Logged in to http:\S+ as agent_[0-9a-f]{16}\n/)
    await up.printed(/^\[\d\d:\d\d:\d\d\] \[ok\] Connected to hub via WebSocket$/m)
    expect(existsSync(home.file('agent.sock'))).toBe(true)
    up.kill('SIGINT')
    expect(await up.exited).toEqual({ code: 0, signal: null })
    for (const file of ['agent.sock', 'daemon.pid']) expect(existsSync(home.file(file))).toBe(false)
  })

  test('says that a daemon runs, and leaves it', async () => {
    const home = await joined(world)
    const { pid } = JSON.parse(await connectOk(home, ['daemon', 'start', '--json'])) as { pid: number }
    expect(await connectOk(home, ['up'])).toBe(
      `[ok] The agent is already running (PID: ${pid}), as the daemon\n`,
    )
    expect(JSON.parse(await connectOk(home, ['up', '--json']))).toMatchObject({ detached: true, pid })
    expect(identify(pid)).toBeDefined()
  })

  test('hands over to the background with --detach', async () => {
    const home = await joined(world)
    const stdout = await connectOk(home, ['up', '--detach'])
    expect(stdout).toMatch(/\[ok\] Daemon started \(PID: \d+\)\n {2}Logs: ~\/\.privateconnect\/daemon\.log\n/)
    expect(await connectOk(home, ['daemon', 'status'])).toContain('● Status: running')
  })

  test('does not take both --detach and --foreground', async () => {
    const { code, stderr } = await connect(emptyHome(), ['up', '--detach', '--foreground'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^\[x\] .*--foreground.*\n {2}See: connect up --help\n$/)
  })

  test('without a token and a terminal says where a token can come from', async () => {
    const home = emptyHome()
    const { code, stderr } = await connect(home, ['up', '--hub', world.hubUrl])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] There is no invite, and no join token\n {2}.*PRIVATECONNECT_TOKEN.*\n$/)
    expect(existsSync(home.file('config.json'))).toBe(false)
  })
})

describe('where CI is set and there is no terminal', () => {
  test('a CI script runs on, with the agent in the background', async () => {
    const home = emptyHome()
    const env = { CI: 'true', PRIVATECONNECT_TOKEN: await world.joinToken(), CONNECT_HUB_URL: world.hubUrl }
    const stdout = await connectOk(home, ['up'], { env })
    expect(stdout).toMatch(/\[ok\] Daemon started \(PID: \d+\)/)
    expect(await connectOk(home, ['expose', '80', '--name', 'ci'], { env })).toContain('[ok] Exposing')
    const [again] = (await connectOk(home, ['up'], { env })).split('\n')
    expect(again).toMatch(/^\[ok\] Daemon already running/)
  })

  test('--foreground stays, and runs until SIGTERM', async () => {
    const home = await joined(world)
    const up = world.keep(startConnect(home, ['up', '--foreground'], { env: { CI: 'true' } }))
    await up.printed(/Connected to hub/)
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
    await up.stop()
    expect(up.stdout).toMatch(/\] Stopped\n$/)
  })
})

describe('the agent that a platform keeps', () => {
  const kept = { CONNECT_DAEMON: '1' }

  test('ends by SIGTERM when it is told to, with all that is its own removed', async () => {
    const home = await joined(world)
    const agent = world.keep(startConnect(home, ['up', '--hub', world.hubUrl], { env: kept }))
    await expect.poll(() => existsSync(home.file('agent.sock')), { timeout: 30_000 }).toBe(true)
    agent.kill('SIGTERM')
    expect(await agent.exited).toEqual({ code: null, signal: 'SIGTERM' })
    expect(agent.output).toBe('')
    for (const file of ['agent.sock', 'daemon.pid']) expect(existsSync(home.file(file))).toBe(false)
  })

  test('waits for one in the foreground, and takes over', async () => {
    const home = await joined(world)
    const up = world.keep(startConnect(home, ['up']))
    await up.printed(/Connected to hub/)
    const agent = world.keep(startConnect(home, ['up', '--hub', world.hubUrl], { env: kept }))
    const log = () => connectOk(home, ['daemon', 'logs'])
    await expect.poll(log, { timeout: 30_000, interval: 500 }).toContain('Waiting for another agent')
    await up.stop('SIGINT')
    await expect.poll(log, { timeout: 30_000, interval: 500 }).toContain('Connected to hub')
    await agent.stop()
  })

  test('ends with 78 where only a human can help', async () => {
    const agent = startConnect(emptyHome(), ['up', '--hub', world.hubUrl], { env: kept })
    expect(await agent.exited).toEqual({ code: 78, signal: null })
  })

  test.for([
    ['an option that there is not', ['--nonsense'], "Unknown option '--nonsense'"],
    ['an option without its value', ['--hub'], "Option '--hub <value>' argument missing"],
    ['a word too many', ['now'], "Unexpected argument 'now'"],
    ['a config without a name', ['--config', ''], 'The path of a file is empty'],
  ] as const)('ends with 78 and a sentence for %s', async ([, args, why]) => {
    const agent = startConnect(emptyHome(), ['up', ...args], { env: kept })
    expect(await agent.exited).toEqual({ code: 78, signal: null })
    expect(agent.output).toMatch(/^\[x\] .+\n {2}.+\n$/)
    expect(agent.output).toContain(why)
  })
})
