import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identify } from '../../../src/process/identity.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { World } from '../../helpers/world.ts'
import { emptyHome, joined } from '../../fixtures/joined.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

async function started(name: string): Promise<{ home: Home; pid: number }> {
  const home = await joined(world, name)
  return { home, pid: pidIn(await connectOk(home, ['daemon', 'start'])) }
}

function pidIn(output: string): number {
  return Number(/PID: (\d+)/.exec(output)?.[1])
}

describe('start', () => {
  test('prints its lines to the letter, and that it is connected', async () => {
    const home = await joined(world, 'start')
    const { code, stdout, stderr } = await connect(home, ['daemon', 'start'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const pid = pidIn(stdout)
    expect(stdout).toBe(
      '🚀 Starting daemon in background...\n\n' +
        `[ok] Daemon started (PID: ${pid})\n` +
        '  Logs: ~/.privateconnect/daemon.log\n' +
        '  Hub: connected\n',
    )
    expect(identify(pid)).toBeDefined()
  })

  test('says that one runs already, and leaves it', async () => {
    const { home, pid } = await started('twice')
    const { code, stdout } = await connect(home, ['daemon', 'start'])
    expect(code).toBe(0)
    // Nothing is started, and nothing says so.
    expect(stdout).toMatch(new RegExp(`^\\[ok\\] Daemon already running \\(PID: ${pid}\\)\\n`))
  })

  test('puts another in its place with --replace', async () => {
    const { home, pid } = await started('replaced')
    const now = pidIn(await connectOk(home, ['daemon', 'start', '--replace']))
    expect(now).not.toBe(pid)
    expect(identify(pid)).toBeUndefined()
    expect(identify(now)).toBeDefined()
  })

  test('tells all of it to a program', async () => {
    const home = await joined(world, 'start-json')
    const first = JSON.parse(await connectOk(home, ['daemon', 'start', '--json'])) as { pid: number }
    expect(first).toEqual({
      warnings: [],
      stopped: null,
      updated: null,
      version: '0.1.0',
      outcome: 'started',
      pid: expect.any(Number),
      hub: { state: 'connected', since: expect.any(String), reason: null },
    })
    expect(JSON.parse(await connectOk(home, ['daemon', 'start', '--json']))).toMatchObject({
      outcome: 'already running',
      pid: first.pid,
    })
  })
})

test('stop prints its line to the letter, and the process is gone', async () => {
  const { home, pid } = await started('stop')
  expect(await connect(home, ['daemon', 'stop'])).toMatchObject({
    code: 0,
    stdout: '[ok] Daemon stopped\n',
    stderr: '',
  })
  expect(identify(pid)).toBeUndefined()
  expect(JSON.parse(await connectOk(home, ['daemon', 'stop', '--json']))).toEqual({
    warnings: [],
    stopped: null,
    foregroundPid: null,
  })
})

test('restart prints both its lines to the letter, and another process runs', async () => {
  const { home, pid } = await started('restart')
  const stdout = await connectOk(home, ['daemon', 'restart'])
  expect(stdout).toMatch(/^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/)
  expect(identify(pid)).toBeUndefined()
  const { pid: now } = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as { pid: number }
  expect(identify(now)).toBeDefined()
})

describe('status', () => {
  test('has the fields that it always has, in their order', async () => {
    const { home, pid } = await started('ada-laptop')
    const stdout = await connectOk(home, ['daemon', 'status'])
    expect(stdout).toMatch(/^📊 Private Connect Daemon Status\n\n {2}● Status: running\n/)
    const fields = [...stdout.matchAll(/^ {4}([A-Z][\w ]*): (.*)$/gm)].map(([, name, value]) => [name, value])
    expect(fields.slice(0, 6)).toEqual([
      ['PID', String(pid)],
      ['Service installed', 'no'],
      ['Platform', process.platform],
      ['Agent ID', expect.stringMatching(/^agent_[0-9a-f]{16}$/)],
      ['Label', 'ada-laptop'],
      ['Hub', world.hubUrl],
    ])
    expect(stdout).toContain('    Connection: connected\n')
    // Bare `connect daemon` is the same.
    expect(await connectOk(home, ['daemon'])).toBe(stdout)
  })

  test('tells all of it to a program, and has every field when stopped too', async () => {
    const { home, pid } = await started('json')
    await connectOk(home, ['expose', '127.0.0.1:9', '--name', 'discard'])
    const running = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as object
    expect(running).toMatchObject({
      status: 'running',
      configured: true,
      pid,
      installed: false,
      platform: process.platform,
      manager: { name: 'background', summary: expect.any(String) },
      agentId: expect.stringMatching(/^agent_/),
      label: 'json',
      hub: world.hubUrl,
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      connection: { state: 'connected', since: expect.any(String) },
      services: [{ name: 'discard', host: '127.0.0.1', port: 9 }],
      streams: 0,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      cleanedUpStalePid: false,
      foregroundPid: null,
    })
    await connectOk(home, ['daemon', 'stop'])
    const stopped = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as object
    expect(stopped).toMatchObject({ status: 'stopped', pid: null, connection: null, streams: null })
    expect(Object.keys(stopped).toSorted()).toEqual(Object.keys(running).toSorted())
  })
})

describe('logs', () => {
  const rule = '─'.repeat(56)

  test('are in their frame, as many lines as asked for, with their true number', async () => {
    const { home } = await started('logs')
    const lines = (await connectOk(home, ['daemon', 'logs'])).split('\n')
    expect(lines.slice(0, 3)).toEqual(['📋 Daemon Logs (~/.privateconnect/daemon.log)', '', rule])
    const shown = lines.slice(3, lines.lastIndexOf(rule))
    expect(shown[0]).toMatch(/^\[\d\d:\d\d:\d\d\] 🚀 Starting Private Connect Agent\.\.\.$/)
    expect(shown.join('\n')).toMatch(
      /\] \[ok\] Registered with hub\n.*\] \[ok\] Connected to hub via WebSocket/,
    )
    expect(lines.slice(lines.lastIndexOf(rule) + 1)).toEqual([
      '',
      `  Showing last ${shown.length} lines. Full log: ~/.privateconnect/daemon.log`,
      '',
    ])

    const stdout = await connectOk(home, ['daemon', 'logs', '-n', '1'])
    expect(stdout).toContain('Showing last 1 line. Full log')
    const all = JSON.parse(await connectOk(home, ['daemon', 'logs', '--json'])) as {
      file: string
      lines: unknown[]
    }
    expect(all.file).toBe(home.file('daemon.log'))
    expect(all.lines.length).toBeGreaterThan(2)
  })

  test.for(['0', 'many'])('cannot be "%s" lines', async (count) => {
    const home = emptyHome()
    const { code, stderr } = await connect(home, ['daemon', 'logs', `--lines=${count}`])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^\[x\] .*\n {2}\S/)
  })
})

describe('a hub that cannot be reached is no crash:', () => {
  let home: Home
  beforeAll(async () => {
    home = await world.machine('lonely')
    await world.hub.stop()
  })
  afterAll(() => world.restartHub())

  test('start says that the agent runs and keeps trying, and status says why', async () => {
    const stdout = await connectOk(home, ['daemon', 'start'])
    expect(stdout).toContain(`[ok] Daemon started (PID: ${pidIn(stdout)})\n`)
    expect(stdout).toMatch(/Hub: not connected yet \(.*connection refused\); the agent keeps trying\n/)
    const status = await connectOk(home, ['daemon', 'status'])
    expect(status).toContain('● Status: running')
    expect(status).toMatch(/Connection: .*connection refused/)
    expect(JSON.parse(await connectOk(home, ['daemon', 'status', '--json']))).toMatchObject({
      status: 'running',
      connection: { state: 'retrying', reason: expect.stringContaining('connection refused') },
    })
    const exposed = await connect(home, ['expose', '9', '--name', 'later'])
    expect(exposed.code).toBe(0)
    expect(exposed.stdout).not.toContain('[ok]')
    expect(exposed.stderr).toMatch(/^\[!\] The hub has not confirmed it yet \(.*connection refused.*\)/)
  })
})
