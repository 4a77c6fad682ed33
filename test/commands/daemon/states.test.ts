import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyHome, joined } from '../../fixtures/joined.ts'
import { NOT_CONFIGURED, NOT_CONFIGURED_HINTS } from '../../fixtures/product/not-configured.ts'
import { connect } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { testVariations } from '../../helpers/variations.ts'
import { World } from '../../helpers/world.ts'

// No init system of the machine that the test runs on has a say.
const env = { CONNECT_PLATFORM: 'background' }

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

function daemon(home: Home, ...args: string[]) {
  return connect(home, ['daemon', ...args], { env })
}

/** A document that --json prints. */
async function json(home: Home, ...args: string[]) {
  const { code, stdout, stderr } = await daemon(home, ...args, '--json')
  return { code, stderr, document: JSON.parse(stdout) as unknown }
}

const NOT_RUNNING = 'The daemon was not running: there is nothing to stop\n'
const NOT_INSTALLED = 'The daemon is not installed as a service: there is nothing to remove\n'

describe('without a config', () => {
  let home: Home
  beforeAll(() => {
    home = world.emptyMachine()
  })

  test.for(['start', 'install', 'restart'])('%s fails and says: run connect up', async (action) => {
    expect(await daemon(home, action)).toEqual({ code: 1, signal: null, stdout: '', stderr: NOT_CONFIGURED })
    expect(await json(home, action)).toEqual({
      code: 1,
      stderr: '',
      document: {
        warnings: [],
        error: { code: 'NOT_CONFIGURED', message: 'Agent not configured', hints: NOT_CONFIGURED_HINTS },
      },
    })
    expect(existsSync(home.file('config.json'))).toBe(false)
  })

  test.for([
    ['stop', NOT_RUNNING, { stopped: null, foregroundPid: null, warnings: [] }],
    ['uninstall', NOT_INSTALLED, { removed: false, files: [], warnings: [] }],
  ] as const)('%s has nothing to do', async ([action, stdout, document]) => {
    expect(await daemon(home, action)).toEqual({ code: 0, signal: null, stdout, stderr: '' })
    expect(await json(home, action)).toEqual({ code: 0, stderr: '', document })
    const other = path.join(home.folder, 'missing', 'staging.json')
    expect(await daemon(home, action, '--config', other)).toEqual({
      code: 0,
      signal: null,
      stdout,
      stderr: '',
    })
    expect(existsSync(path.dirname(other))).toBe(false)
  })

  test.for([[['status']], [[]]] as const)(
    'status says stopped, and not configured: daemon %s',
    async ([args]) => {
      expect(await daemon(home, ...args)).toEqual({
        code: 0,
        signal: null,
        stderr: '',
        stdout:
          '📊 Private Connect Daemon Status\n\n' +
          '  ○ Status: stopped\n' +
          '    Service installed: no\n' +
          `    Platform: ${process.platform}\n` +
          '    Autostart: no\n' +
          '    Agent not configured. Run: connect up\n',
      })
      expect(await json(home, ...args)).toMatchObject({
        code: 0,
        stderr: '',
        document: { status: 'stopped', configured: false, installed: false, pid: null, agentId: null },
      })
    },
  )

  test('logs says: No logs yet', async () => {
    expect(await daemon(home, 'logs')).toEqual({ code: 0, signal: null, stdout: 'No logs yet\n', stderr: '' })
    expect(await json(home, 'logs')).toEqual({
      code: 0,
      stderr: '',
      document: { file: home.file('daemon.log'), lines: [], warnings: [] },
    })
  })
})

describe('configured, with no daemon', () => {
  test('start does it, and logs has the log then', async () => {
    const home = await joined(world, 'started')
    expect(await daemon(home, 'logs')).toMatchObject({ code: 0, stdout: 'No logs yet\n', stderr: '' })
    expect(await daemon(home, 'start')).toEqual({
      code: 0,
      signal: null,
      stderr: '',
      stdout: expect.stringMatching(
        /^🚀 Starting daemon in background\.\.\.\n\n\[ok\] Daemon started \(PID: \d+\)\n {2}Logs: ~\/\.privateconnect\/daemon\.log\n {2}Hub: connected\n$/,
      ),
    })
    const { code, stdout, stderr } = await daemon(home, 'logs')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('🚀 Starting Private Connect Agent...')
    await daemon(home, 'stop')
    // The log is there without a daemon, too.
    expect((await daemon(home, 'logs')).stdout).toContain('Stopping: SIGTERM')
    expect(await json(home, 'start')).toMatchObject({
      code: 0,
      stderr: '',
      document: { outcome: 'started', pid: expect.any(Number), stopped: null },
    })
  })

  test('restart starts it, and claims no stop that was none', async () => {
    const home = await joined(world, 'restarted')
    expect(await daemon(home, 'restart')).toEqual({
      code: 0,
      signal: null,
      stderr: '',
      stdout: expect.stringMatching(
        /^No daemon was running\n\[ok\] Daemon started\n {2}PID: \d+\n {2}Hub: connected\n$/,
      ),
    })
    await daemon(home, 'stop')
    expect(await json(home, 'restart')).toMatchObject({
      code: 0,
      stderr: '',
      document: { outcome: 'started', pid: expect.any(Number), stopped: null },
    })
  })

  test('stop and uninstall find nothing', async () => {
    const home = await joined(world, 'idle')
    expect(await daemon(home, 'stop')).toEqual({ code: 0, signal: null, stdout: NOT_RUNNING, stderr: '' })
    expect(await daemon(home, 'uninstall')).toEqual({
      code: 0,
      signal: null,
      stdout: NOT_INSTALLED,
      stderr: '',
    })
    expect(await json(home, 'stop')).toEqual({
      code: 0,
      stderr: '',
      document: { stopped: null, foregroundPid: null, warnings: [] },
    })
    expect(await json(home, 'uninstall')).toEqual({
      code: 0,
      stderr: '',
      document: { removed: false, files: [], warnings: [] },
    })
  })

  test('status says stopped, and how to start', async () => {
    const home = await joined(world, 'idle')
    const { code, stdout, stderr } = await daemon(home, 'status')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^📊 Private Connect Daemon Status\n\n {2}○ Status: stopped\n {4}Service installed: no\n/,
    )
    expect(stdout).toMatch(/\n {4}To start it: connect daemon start\n$/)
    expect(await json(home, 'status')).toMatchObject({
      code: 0,
      stderr: '',
      document: { status: 'stopped', configured: true, label: 'idle', hub: world.hubUrl },
    })
  })

  test('install says what to do where there is no service manager', async () => {
    const home = await joined(world, 'unsupported')
    const { code, stderr } = await daemon(home, 'install')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] No service manager .*\n(?: {2}.*\n)* {2}.*connect daemon start\n$/)
    expect(await json(home, 'install')).toMatchObject({
      code: 1,
      stderr: '',
      document: { error: { code: 'INSTALL_UNSUPPORTED' } },
    })
  })
})

const ACTIONS = ['start', 'stop', 'restart', 'status', 'logs', 'install', 'uninstall']

describe('a config that cannot be used is not "no config":', () => {
  const damage: readonly [string, (file: string) => void, RegExp][] = [
    ['a damaged one', (file) => writeFileSync(file, '{"version":1,'), /is not valid JSON/],
    ['an empty one', (file) => writeFileSync(file, ''), /is not valid JSON/],
    ['one of a newer version', (file) => writeFileSync(file, '{"version":9}'), /newer version/],
    ['one that others can read', (file) => chmodSync(file, 0o644), /can be read by other users \(mode 644\)/],
  ]

  testVariations(damage)('%s', async ([, spoil, sentence]) => {
    const home = await joined(world, 'spoilt')
    const file = home.file('config.json')
    spoil(file)
    const before = readFileSync(file)
    for (const action of ACTIONS) {
      const { code, stderr } = await daemon(home, action)
      expect(code, action).toBe(1)
      expect(stderr).toMatch(/^\[x\] .*config\.json.*\n {2}\S.*\n$/)
      expect(stderr).toMatch(sentence)
      expect(await json(home, action)).toMatchObject({
        code: 1,
        stderr: '',
        document: {
          error: { code: expect.stringMatching(/^CONFIG_/), message: expect.stringMatching(sentence) },
        },
      })
    }
    expect(readFileSync(file)).toEqual(before)
  })

  test('one whose hub is no URL any more', { tags: ['variation'] }, async () => {
    const home = await joined(world, 'edited')
    const file = home.file('config.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...config, hub: 'ftp://hub.example.com' }))
    for (const action of ['start', 'restart', 'install', 'status']) {
      const { code, stderr } = await daemon(home, action)
      expect(code, action).toBe(1)
      expect(stderr).toMatch(/^\[x\] The hub in the config cannot be used: .*\n {2}\S.*\n$/)
    }
  })

  test('a folder', async () => {
    const home = emptyHome()
    mkdirSync(home.file('config.json'), { recursive: true })
    const { code, stderr } = await daemon(home, 'start')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] .*config\.json is not a file\n {2}\S/)
  })
})
