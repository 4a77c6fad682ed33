import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NOT_CONFIGURED } from '../fixtures/not-configured.ts'
import { connect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'

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

const NOT_RUNNING = 'The daemon was not running: there is nothing to stop\n'
const NOT_INSTALLED = 'The daemon is not installed as a service: there is nothing to remove\n'

describe('without a config', () => {
  let home: Home
  beforeAll(() => {
    home = world.emptyMachine()
  })

  test.for(['start', 'install', 'restart'])('%s fails and says: run connect up', async (action) => {
    expect(await daemon(home, action)).toMatchObject({ code: 1, stderr: NOT_CONFIGURED })
    expect(existsSync(home.file('config.json'))).toBe(false)
  })

  test.for([
    ['stop', NOT_RUNNING],
    ['uninstall', NOT_INSTALLED],
  ] as const)('%s has nothing to do', async ([action, line]) => {
    expect(await daemon(home, action)).toMatchObject({ code: 0, stdout: line, stderr: '' })
    const other = path.join(home.folder, 'missing', 'staging.json')
    expect(await daemon(home, action, '--config', other)).toMatchObject({ code: 0, stdout: line, stderr: '' })
  })

  test('status says stopped, and not configured', async () => {
    const { code, stdout, stderr } = await daemon(home, 'status')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('○ Status: stopped\n')
    expect(stdout).toMatch(/not configured/)
    expect(stdout).toContain('connect up')
  })

  test('logs says: No logs yet', async () => {
    expect(await daemon(home, 'logs')).toMatchObject({ code: 0, stdout: 'No logs yet\n', stderr: '' })
  })
})

describe('configured, with no daemon', () => {
  test('start does it, and logs has the log then', async () => {
    const home = await joined(world, 'started')
    expect(await daemon(home, 'logs')).toMatchObject({ code: 0, stdout: 'No logs yet\n' })
    expect(await daemon(home, 'start')).toMatchObject({ code: 0, stderr: '' })
    expect((await daemon(home, 'logs')).stdout).toContain('🚀 Starting Private Connect Agent...')
  })

  test('restart starts it, and claims no stop that was none', async () => {
    const home = await joined(world, 'restarted')
    const { code, stdout } = await daemon(home, 'restart')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^No daemon was running\n\[ok\] Daemon started\n/)
    expect(stdout).not.toContain('Daemon stopped')
  })

  test('stop, uninstall and status find nothing, and status says how to start', async () => {
    const home = await joined(world, 'idle')
    expect(await daemon(home, 'stop')).toMatchObject({ code: 0, stdout: NOT_RUNNING })
    expect(await daemon(home, 'uninstall')).toMatchObject({ code: 0, stdout: NOT_INSTALLED })
    const { code, stdout } = await daemon(home, 'status')
    expect(code).toBe(0)
    expect(stdout).toContain('○ Status: stopped\n')
    expect(stdout).toContain('connect daemon start')
  })

  test('install says what to do where there is no service manager', async () => {
    const home = await joined(world, 'unsupported')
    const { code, stderr } = await daemon(home, 'install')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] No service manager .*\n(?: {2}.*\n)* {2}.*connect daemon start\n$/)
  })
})

describe('a config that cannot be used is not "no config":', () => {
  const damage: readonly [string, (file: string) => void, RegExp][] = [
    ['a damaged one', (file) => writeFileSync(file, '{"version":1,'), /is not valid JSON/],
    ['an empty one', (file) => writeFileSync(file, ''), /is not valid JSON/],
    ['one of a newer version', (file) => writeFileSync(file, '{"version":9}'), /newer version/],
    ['one that others can read', (file) => chmodSync(file, 0o644), /can be read by other users \(mode 644\)/],
  ]

  test.for(damage)('%s', async ([, spoil, sentence]) => {
    const home = await joined(world, 'spoilt')
    const file = home.file('config.json')
    spoil(file)
    const before = readFileSync(file)
    for (const action of ['start', 'restart', 'status']) {
      const { code, stderr } = await daemon(home, action)
      expect(code, action).toBe(1)
      expect(stderr).toMatch(/^\[x\] .*config\.json.*\n {2}\S.*\n$/)
      expect(stderr).toMatch(sentence)
    }
    expect(readFileSync(file)).toEqual(before)
  })

  test('one whose hub is no URL any more', async () => {
    const home = await joined(world, 'edited')
    const file = home.file('config.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...config, hub: 'ftp://hub.example.com' }))
    for (const action of ['start', 'status']) {
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
