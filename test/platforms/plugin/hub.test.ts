import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import { findProcess } from '../../../src/control/find-process.ts'
import { identify } from '../../../src/process/identity.ts'
import { emptyHome, joined } from '../../fixtures/joined.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { World } from '../../helpers/world.ts'

const plugin = path.join(import.meta.dirname, '..', '..', 'fixtures', 'plugin-platform')
const env = {}
const FREE = ['--listen', '127.0.0.1:0']

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

async function linked(home: Home): Promise<Home> {
  await connectOk(home, ['plugins', 'link', plugin])
  onTestFinished(async () => {
    await connect(home, ['hub', 'uninstall'], { env })
  })
  return home
}

const ok = (home: Home, ...args: string[]) => connectOk(home, args, { env })

async function statusOf(home: Home): Promise<Record<string, unknown>> {
  return JSON.parse(await ok(home, 'hub', 'status', '--json')) as Record<string, unknown>
}

const unitsIn = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('testinit.json'))

test('the hub is installed, found again, comes back after a crash, and is removed without a trace', async () => {
  const home = await linked(emptyHome('installed'))
  const installed = await ok(home, 'hub', 'install', ...FREE)
  expect(installed).toMatch(/^🔧 Installing Private Connect hub\.\.\.\n\n\[ok\] Hub installed and started\n/)
  expect(installed).toMatch(/^ {2}This machine has joined it, as agent_[0-9a-f]+$/m)
  expect(installed).toContain('    Status:    connect hub status\n')
  const { pid } = await statusOf(home)
  expect(await statusOf(home)).toMatchObject({
    status: 'running',
    installed: true,
    manager: { name: 'testinit' },
  })
  process.kill(pid as number, 'SIGKILL')
  await ok(home, 'hub', 'status', '--wait', '30s')
  await expect.poll(async () => (await statusOf(home)).status, { timeout: 30_000 }).toBe('running')
  expect(await ok(home, 'hub', 'restart')).toContain('[ok] Hub started\n')
  expect(await ok(home, 'hub', 'uninstall')).toContain(
    '[ok] Hub uninstalled\n  What it knows stays in ~/.privateconnect/hub, for the next install\n',
  )
  expect(await statusOf(home)).toMatchObject({ status: 'stopped', installed: false, autostart: 'never' })
  expect(unitsIn(home.file('hub'))).toEqual([])
  // What it knows is not the service's to remove.
  expect(existsSync(home.file('hub/hub.db'))).toBe(true)
})

test('an install with other flags starts the hub anew, and keeps them', async () => {
  const home = await linked(emptyHome('anew'))
  expect(await ok(home, 'hub', 'install', '--no-join', ...FREE)).not.toContain('This machine')
  expect(existsSync(home.file('config.json'))).toBe(false)
  const first = await statusOf(home)
  await ok(home, 'hub', 'install', '--listen', '[::1]:0')
  // This service manager doesn’t wait until the hub listens.
  await ok(home, 'hub', 'status', '--wait', '30s')
  const second = await statusOf(home)
  expect(second.listen).toMatch(/^\[::1\]:/)
  expect(identify(first.pid as number)).toBeUndefined()
  expect(JSON.parse(readFileSync(home.file('hub/config.json'), 'utf8'))).toEqual({
    version: 1,
    listen: '[::1]:0',
  })
})

test('an agent that was installed under the hub’s name keeps its service until it is installed anew', async () => {
  const home = await linked(await joined(world, 'named'))
  const config = home.file('hub.json')
  writeFileSync(config, readFileSync(home.file('config.json')), { mode: 0o600 })
  // As a version before did it, when the name was anybody's.
  mkdirSync(home.file('instances'), { mode: 0o700 })
  const instance = instanceFor(config, home.folder)
  const folder = path.dirname(config)
  await ok(home, 'daemon', 'install', '--config', config)
  const [own] = unitsIn(folder)
  expect(own).toMatch(/^hub-[0-9a-f]{8}\.testinit\.json$/)
  await ok(home, 'daemon', 'uninstall', '--config', config)
  writeFileSync(home.file('instances/hub'), `${config}\n`, { mode: 0o600 })
  const { testinit } = (await import(path.join(plugin, 'platforms.js'))) as {
    testinit: {
      load(context: unknown): Promise<{ install(daemon: unknown, options: unknown): Promise<void> }>
    }
  }
  const platform = await testinit.load({ instance: { ...instance, name: 'hub' } })
  const daemon = {
    command: [
      process.execPath,
      path.join(plugin, '..', '..', '..', 'bin', 'run.js'),
      'up',
      '--config',
      config,
    ],
    cwd: home.folder,
    logFile: instance.logFile,
    env: { HOME: home.folder, PATH: process.env.PATH, CONNECT_DAEMON: '1' },
  }
  await platform.install(daemon, { isReady: async () => false, stableMs: 0 })
  expect(unitsIn(folder)).toEqual(['hub.testinit.json'])

  const status = () => ok(home, 'daemon', 'status', '--config', config)
  await ok(home, 'daemon', 'status', '--wait', '30s', '--config', config)
  expect(await status()).toContain('Service installed: yes')
  await ok(home, 'daemon', 'restart', '--config', config)
  expect(unitsIn(folder)).toEqual(['hub.testinit.json'])
  for (const command of ['install', 'start', 'stop', 'status']) {
    const { code, stderr } = await connect(home, ['hub', command], { env })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        '[x] An agent’s service has the name that is the hub’s now: that of ~/.privateconnect/hub.json\n' +
        `  Have it installed anew, by another name: connect daemon install --config ${config}\n`,
    })
  }
  expect(await status()).toContain('● Status: running')

  await ok(home, 'daemon', 'install', '--config', config)
  expect(unitsIn(folder)).toEqual([own])
  await ok(home, 'daemon', 'status', '--wait', '30s', '--config', config)
  expect((await findProcess(instance)).state).toBe('running')
  await ok(home, 'hub', 'install', ...FREE)
  expect(await statusOf(home)).toMatchObject({ status: 'running', installed: true })
  expect(await status()).toContain('● Status: running')
  await ok(home, 'daemon', 'uninstall', '--config', config)
  expect(await statusOf(home)).toMatchObject({ status: 'running', installed: true })
})
