import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERRORS } from '../../../src/errors.ts'
import { NOT_CONFIGURED } from '../../fixtures/product/not-configured.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { World } from '../../helpers/world.ts'
import { emptyHome, joined } from '../../fixtures/joined.ts'

const plugin = path.join(import.meta.dirname, '..', '..', 'fixtures', 'plugin-platform')
// A linked plugin in ESM makes oclif warn on each run, which is for plugin authors.
const quiet = { OCLIF_DISABLE_LINKED_ESM_WARNING: '1' }

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

async function linked(home: Home): Promise<Home> {
  await connectOk(home, ['plugins', 'link', '--no-install', plugin])
  return home
}

function daemon(home: Home, action: string, env: NodeJS.ProcessEnv = {}) {
  return connect(home, ['daemon', action], { env: { ...quiet, ...env } })
}

test('a plugin’s platform installs the daemon, keeps it, and is found again', async () => {
  const home = await linked(await joined(world, 'plugged'))

  expect(await daemon(home, 'install')).toMatchObject({ code: 0, stderr: '' })
  expect(existsSync(home.file('testinit.json'))).toBe(true)
  const { stdout } = await daemon(home, 'status')
  expect(stdout).toContain('● Status: running')
  expect(stdout).toContain('Service installed: yes')
  expect(stdout).toContain('a service of testinit')
  expect(await daemon(home, 'restart')).toMatchObject({ code: 0, stderr: '' })

  expect(await daemon(home, 'uninstall')).toMatchObject({ code: 0, stdout: expect.stringContaining('[ok] ') })
  expect(existsSync(home.file('testinit.json'))).toBe(false)
  const left = await daemon(home, 'status')
  expect(left.stdout).toContain('○ Status: stopped')
  expect(left.stdout).toContain('Service installed: no')
})

test('it is used for start only where it is installed, or CONNECT_PLATFORM says so', async () => {
  const home = await linked(await joined(world, 'optional'))
  const manager = async (env: NodeJS.ProcessEnv) => {
    const { stdout } = await connect(home, ['daemon', 'status', '--json'], { env: { ...quiet, ...env } })
    return (JSON.parse(stdout) as { manager: { name: string } }).manager.name
  }
  expect(await manager({})).toBe('background')
  expect(await manager({ CONNECT_PLATFORM: 'testinit' })).toBe('testinit')
})

describe('with a plugin that is broken every command goes on, and warns:', () => {
  let home: Home
  beforeAll(async () => {
    home = await linked(world.emptyMachine('broken'))
  })

  test.for([
    ['throws', '[!] Plugin plugin-platform failed: testinit is not there\n'],
    ['hangs', '[!] Plugin plugin-platform failed: Timed out after 2000 ms.\n'],
    ['badShape', '[!] A plugin’s platform is not usable: '],
    ['duplicate', '[!] Two platforms are called "background"; the first is used\n'],
    ['askingFails', '[!] Platform testinit failed: testinit crashed\n'],
  ] as const)('%s', async ([answer, warning]) => {
    const { code, stdout, stderr } = await daemon(home, 'status', { PLUGIN_PLATFORM_ANSWER: answer })
    expect(code).toBe(0)
    expect(stdout).toContain('○ Status: stopped')
    expect(stderr.startsWith(warning)).toBe(true)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('other commands do not even ask it', async () => {
    const env = { ...quiet, PLUGIN_PLATFORM_ANSWER: 'throws' }
    expect(await connect(home, ['whoami'], { env })).toMatchObject({
      code: 1,
      stderr: NOT_CONFIGURED,
    })
    expect(await connect(home, ['daemon', 'status', '--help'], { env })).toMatchObject({
      code: 0,
      stderr: '',
    })
  })
})

describe('what a plugin’s platform throws is one clear sentence, and no bug of ours:', () => {
  let home: Home
  beforeAll(async () => {
    home = await linked(await world.machine('failing'))
  })

  test.for([
    [
      'statusFails',
      'status',
      '[x] Platform testinit: rc-service: command not found\n' +
        '  Is it installed?\n' +
        `  ${ERRORS.PLATFORM_FAILED.fix}\n`,
    ],
    ['stopFails', 'stop', '[x] Process 1 is another user’s\n  Ask root.\n'],
    ['loadFails', 'status', `[x] Platform testinit: no such library\n  ${ERRORS.PLATFORM_FAILED.fix}\n`],
  ] as const)('%s', async ([answer, action, stderr]) => {
    expect(await daemon(home, action, { PLUGIN_PLATFORM_ANSWER: answer })).toMatchObject({ code: 1, stderr })
  })

  test('statusIsText is a state that is not known', async () => {
    const env = { ...quiet, PLUGIN_PLATFORM_ANSWER: 'statusIsText' }
    const { code, stdout } = await connect(home, ['daemon', 'status', '--json'], { env })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'unknown', pid: null })
  })
})

test('a platform that nobody brings is an error that says what to do', async () => {
  const home = emptyHome('odd')
  expect(await daemon(home, 'status', { CONNECT_PLATFORM: 'openrc' })).toEqual({
    code: 1,
    signal: null,
    stdout: '',
    stderr:
      '[x] There is no platform "openrc"\n' +
      '  Unset CONNECT_PLATFORM, or install the plugin: connect plugins install NAME\n',
  })
})

test(
  'a plugin whose own child hangs is not waited for, and all is printed',
  { tags: ['variation'], timeout: 120_000 },
  async () => {
    const home = await linked(world.emptyMachine('hanging'))
    const before = performance.now()
    const { code, stdout, stderr } = await daemon(home, 'status', { PLUGIN_PLATFORM_ANSWER: 'childHangs' })
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('[!] Platform testinit failed') as string,
    })
    expect(stdout).toContain('Agent not configured. Run: connect up\n')
    expect(performance.now() - before).toBeLessThan(50_000)
  },
)
