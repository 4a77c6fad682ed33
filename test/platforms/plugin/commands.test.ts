import { existsSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ERRORS } from '../../../src/error-codes.ts'
import { NOT_CONFIGURED } from '../../fixtures/product/not-configured.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { World } from '../../helpers/world.ts'
import { emptyHome, joined } from '../../fixtures/joined.ts'

const plugin = path.join(import.meta.dirname, '..', '..', 'fixtures', 'plugin-platform')

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

async function linked(home: Home): Promise<Home> {
  await connectOk(home, ['plugins', 'link', plugin])
  return home
}

function daemon(home: Home, action: string, env: NodeJS.ProcessEnv = {}) {
  return connect(home, ['daemon', action], { env })
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

test('--platform says where the daemon and the hub are installed, and all else finds them there', async () => {
  const home = await linked(await joined(world, 'named'))
  const env = { CONNECT_PLATFORM: 'background' }
  const install = (...args: string[]) => connect(home, [...args, '--platform', 'testinit'], { env })
  expect(await install('daemon', 'install')).toMatchObject({ code: 0, stderr: '' })
  expect(await install('hub', 'install', '--no-join', '--listen', '127.0.0.1:0')).toMatchObject({ code: 0 })
  for (const kept of ['daemon', 'hub']) {
    const status = JSON.parse(await connectOk(home, [kept, 'status', '--json'])) as {
      manager: { name: string }
    }
    expect(status.manager.name).toBe('testinit')
  }
  expect((await connect(home, ['plugins', 'uninstall', 'plugin-platform'])).stderr).toContain(
    '[x] The daemon is installed in testinit, which the plugin plugin-platform brings\n',
  )
  for (const kept of ['daemon', 'hub']) await connectOk(home, [kept, 'uninstall'])
  const odd = await connect(home, ['hub', 'install', '--platform', 'openrc'])
  expect(odd.stderr).toMatch(
    /^ {2}Here there are: .*, background, testinit \(of the plugin plugin-platform\)$/m,
  )
})

test('an install that can’t be leaves the daemon alone that runs in the background', async () => {
  const home = await linked(await joined(world, 'not-here'))
  await connectOk(home, ['daemon', 'start'])
  const pid = async () => /PID: \d+/.exec(await connectOk(home, ['daemon', 'status', '--check']))?.[0]
  const before = await pid()
  const env = { PLUGIN_PLATFORM_ANSWER: 'notHere' }
  expect(await connect(home, ['daemon', 'install', '--platform', 'testinit'], { env })).toMatchObject({
    code: 1,
    stderr:
      '[x] testinit can’t keep it: nobody watches ~/init\n' +
      '  Run: watch &\n' +
      '  The background daemon goes on as it was.\n',
  })
  expect(await pid()).toBe(before)
})

test('it is used for start only where it is installed, or CONNECT_PLATFORM says so', async () => {
  const home = await linked(await joined(world, 'optional'))
  const manager = async (env: NodeJS.ProcessEnv) => {
    const { stdout } = await connect(home, ['daemon', 'status', '--json'], { env })
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
    ['throws', 'failed: testinit is not there'],
    ['hangs', 'failed: it gave no answer within 2 s'],
    ['badShape', 'brings a platform that is not usable: '],
    ['duplicate', 'brings a platform "background", as a built-in one is called'],
    ['askingFails', 'failed, with its platform testinit: testinit crashed'],
  ] as const)('%s', async ([answer, what]) => {
    const { code, stdout, stderr } = await daemon(home, 'status', { PLUGIN_PLATFORM_ANSWER: answer })
    expect(code).toBe(0)
    expect(stdout).toContain('○ Status: stopped')
    expect(stderr.startsWith(`[!] Plugin plugin-platform ${what}`)).toBe(true)
    expect(stderr).toContain('. To remove it: connect plugins uninstall plugin-platform\n')
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('other commands do not even ask it', async () => {
    const env = { PLUGIN_PLATFORM_ANSWER: 'throws' }
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
    [
      'statusExits',
      'status',
      `[x] Platform testinit: it wanted to end the program\n  ${ERRORS.PLATFORM_FAILED.fix}\n`,
    ],
    ['stopFails', 'stop', '[x] Process 1 is another user’s\n  Ask root.\n'],
    ['loadFails', 'status', `[x] Platform testinit: no such library\n  ${ERRORS.PLATFORM_FAILED.fix}\n`],
  ] as const)('%s', async ([answer, action, stderr]) => {
    expect(await daemon(home, action, { PLUGIN_PLATFORM_ANSWER: answer })).toMatchObject({ code: 1, stderr })
  })

  test('statusIsText is a state that is not known', async () => {
    const env = { PLUGIN_PLATFORM_ANSWER: 'statusIsText' }
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
      `  Here there are: ${process.platform === 'darwin' ? 'launchd' : 'systemd'}, background\n` +
      `  ${ERRORS.PLATFORM_UNKNOWN.fix}\n`,
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
      stderr: expect.stringContaining('[!] Plugin plugin-platform failed') as string,
    })
    expect(stdout).toContain('Agent not configured. Run: connect up\n')
    expect(performance.now() - before).toBeLessThan(50_000)
  },
)
