import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, type TestContext } from 'vitest'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { connect, connectOk, startConnect } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import {
  descriptionOf,
  HELLO_COMMAND,
  writePlugin,
  type PluginWish,
} from '../../helpers/plugins/plugin-folder.ts'
import { homeWithNpm, installFolders, listedNames } from '../../helpers/plugins/plugin-home.ts'
import { SlowNpm } from '../../helpers/plugins/slow-npm.ts'
import { packFolder, Registry } from '../../helpers/plugins/registry.ts'
import { testVariations } from '../../helpers/variations.ts'
import { until } from '../../helpers/until.ts'

const NAME = 'private-connect-testinit'

let registry: Registry

beforeAll(async () => {
  registry = await Registry.start()
  const scripts = { install: 'touch "$HOME/ran"', postinstall: 'touch "$HOME/ran"' }
  registry.publish({ name: 'some-library', more: { oclif: undefined, scripts } })
  const needs = { dependencies: { 'some-library': '1.0.0' }, peerDependencies: { 'private-connect': '*' } }
  for (const version of ['0.9.0', '1.0.0']) registry.publish({ version, more: { scripts, ...needs } })
  registry.publish({ name: 'no-plugin', more: { oclif: undefined } })
})

afterAll(() => registry.stop())

beforeEach(() => registry.hold(undefined))

const platformsIn = async (home: Home) => {
  const stdout = await connectOk(home, ['plugins', '--json'])
  const { plugins } = JSON.parse(stdout) as {
    plugins: { name: string; version: string; platforms: string[] }[]
  }
  return plugins.map(({ name, version, platforms }) => [name, version, ...platforms])
}

/** Nothing of what failed is left. */
function expectNothing(home: Home): void {
  expect(listedNames(home)).toEqual([])
  expect(installFolders(home)).toEqual([])
}

describe('a plugin is installed', () => {
  test('by its name, with what it depends on, from npm’s registry, and no script is run', async (context) => {
    const home = homeWithNpm(registry, context)
    expect(await connectOk(home, ['plugins', 'install', NAME])).toBe(
      `[ok] Installed the plugin ${NAME} 1.0.0\n  It brings the platform testinit\n`,
    )
    expect(await platformsIn(home)).toEqual([[NAME, '1.0.0', 'testinit']])
    const [folder] = installFolders(home)
    expect(readdirSync(path.join(folder!, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      NAME,
      'some-library',
    ])
    expect(existsSync(path.join(home.folder, 'ran'))).toBe(false)
    const typed = ['__complete', 'bash', 'connect daemon install --platform te', ' ']
    expect(await connectOk(home, typed)).toBe('words 0\ntestinit\n')
    const status = ['daemon', 'status', '--json']
    const { stdout, stderr } = await connect(home, status, { env: { CONNECT_PLATFORM: 'testinit' } })
    expect({ stderr, manager: (JSON.parse(stdout) as { manager: unknown }).manager }).toEqual({
      stderr: '',
      manager: { name: 'testinit', summary: 'kept by testinit' },
    })
  })

  test('by a version', { tags: ['variation'] }, async (context) => {
    const home = homeWithNpm(registry, context)
    await connectOk(home, ['plugins', 'add', `${NAME}@0.9.0`])
    expect(await platformsIn(home)).toEqual([[NAME, '0.9.0', 'testinit']])
  })

  test('from a folder of whatever name: a copy, which the folder is not needed for', async (context) => {
    const home = homeWithNpm(undefined, context)
    const folder = writePlugin({}, path.join(scratchFolder(), `it's a "plugin" #1 %20 ü`))
    const env = { npm_config_offline: 'true' }
    await connectOk(home, ['plugins', 'install', folder], { env })
    expect(readdirSync(folder).toSorted()).toEqual(['description.js', 'package.json'])
    rmSync(folder, { recursive: true })
    expect(await platformsIn(home)).toEqual([[NAME, '1.0.0', 'testinit']])
  })

  test('whatever the npmrc says of other installations', { tags: ['variation'] }, async (context) => {
    const home = homeWithNpm(undefined, context)
    const env = { npm_config_offline: 'true', npm_config_prefix: path.join(home.folder, 'prefix') }
    const settings = ['global', 'ignore_scripts', 'dry_run', 'save', 'package_lock_only', 'install_links']
    const kinds = ['save_dev', 'save_optional', 'save_peer']
    for (const setting of [...settings, ...kinds])
      for (const value of ['true', 'false']) {
        const odd = { ...env, [`npm_config_${setting}`]: value }
        await connectOk(home, ['plugins', 'install', writePlugin()], { env: odd })
      }
    expect(existsSync(env.npm_config_prefix)).toBe(false)
  })

  test('from a tarball, in the place of the one that is there', async (context) => {
    const home = homeWithNpm(undefined, context)
    const env = { npm_config_offline: 'true' }
    for (const version of ['1.0.0', '1.1.0']) {
      writeFileSync(path.join(home.folder, 'plugin.tgz'), packFolder(writePlugin({ version })))
      await connectOk(home, ['plugins', 'install', 'plugin.tgz'], { env })
    }
    expect(await platformsIn(home)).toEqual([[NAME, '1.1.0', 'testinit']])
    expect(installFolders(home)).toHaveLength(1)
  })

  test('with commands, which are in help, and load nothing before they are run', async (context) => {
    const home = homeWithNpm(undefined, context)
    const loaded = path.join(home.folder, 'loaded')
    const command = `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(loaded)}, '')\n${HELLO_COMMAND}`
    const folder = writePlugin({
      more: { oclif: { commands: './commands' } },
      files: { 'commands/testinit/hello.js': command },
    })
    const env = { npm_config_offline: 'true' }
    expect(await connectOk(home, ['plugins', 'install', folder], { env })).toContain(
      '\n  It brings the command connect testinit hello\n',
    )
    rmSync(loaded)
    const help = await connectOk(home, ['--help'])
    expect(help.slice(help.indexOf('\nFROM PLUGINS\n'))).toMatch(/^ {2}testinit {2,}Say hello$/m)
    expect(await connectOk(home, ['help', 'testinit', 'hello'])).toContain('$ connect testinit hello')
    expect(existsSync(loaded)).toBe(false)
    expect(await connectOk(home, ['testinit', 'hello'])).toBe('hello from the plugin\n')
  })
})

describe('what can’t be installed is one sentence, and leaves nothing:', () => {
  const missing = (name: string) => `[x] There is no package ${name} in npm’s registry\n  Check the name. `
  const cases: readonly [string, string[], NodeJS.ProcessEnv, string][] = [
    ['a name that nobody has', ['nobody-has-it'], {}, missing('nobody-has-it')],
    [
      'a version that there is not',
      [`${NAME}@7`],
      {},
      `[x] There is no version 7 of ${NAME}\n  Check the version.\n`,
    ],
    [
      'no network',
      [NAME],
      { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' },
      '[x] npm could not reach its registry: connection refused\n',
    ],
    ['a package that is no plugin', ['no-plugin'], {}, '[x] no-plugin is no plugin of Private Connect\n'],
    [
      'Private Connect without npm',
      [NAME],
      { PATH: '/nonesuch' },
      '[x] There is no npm on the PATH\n  Install npm',
    ],
  ]

  testVariations(cases)('%s', async ([, args, env, sentence], context) => {
    const home = homeWithNpm(registry, context)
    const { code, stdout, stderr } = await connect(home, ['plugins', 'install', ...args], { env })
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(sentence),
    })
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
    expectNothing(home)
  })

  test('a registry that doesn’t answer', { tags: ['variation'] }, async (context) => {
    const home = homeWithNpm(registry, context)
    registry.hold(/./)
    const env = { npm_config_fetch_timeout: '300', npm_config_fetch_retries: '0' }
    const { code, stderr } = await connect(home, ['plugins', 'install', NAME], { env })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('[x] npm could not reach its registry: no answer in time\n') as string,
    })
    expectNothing(home)
  })

  const broken: readonly [string, PluginWish, string][] = [
    ['that throws', { description: 'throw new Error("no such library")' }, 'failed: no such library'],
    [
      'that hangs as it is loaded',
      { description: 'await new Promise(() => {})' },
      'failed: it gave no answer within 2 s',
    ],
    [
      'that lacks a file',
      { more: { files: ['package.json'] } },
      'lacks ./description.js, which its package.json names',
    ],
    [
      'that brings a platform of ours',
      { platform: 'systemd' },
      'brings a platform "systemd", as a built-in one is called',
    ],
    [
      'that is made for another Private Connect',
      { description: 'export default async () => ({ apiVersion: 3 })' },
      'is made for a newer Private Connect: its apiVersion is 3, this one knows 1 and 2',
    ],
  ]

  testVariations(broken)('a plugin %s', async ([, wish, why], context) => {
    const home = homeWithNpm(undefined, context)
    const env = { npm_config_offline: 'true' }
    const { code, stderr } = await connect(home, ['plugins', 'install', writePlugin(wish)], { env })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(`${NAME} ${why}\n`) as string,
    })
    expectNothing(home)
  })

  testVariations(['link', 'install'])('a list that can’t be written: %s', async (action, context) => {
    const home = homeWithNpm(undefined, context)
    // Between the reading and the writing of the list the plugin is loaded.
    const spoil = `
      import { mkdirSync } from 'node:fs'
      mkdirSync(process.env.HOME + '/.local/share/private-connect/package.json', { recursive: true })`
    const plugin = writePlugin({ description: spoil + descriptionOf('testinit') })
    const env = { npm_config_offline: 'true' }
    const { code, stdout, stderr } = await connect(home, ['plugins', action, plugin], { env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^\[x\] .*package\.json/m)
  })

  test('an option in the place of a name, which npm never sees', async () => {
    // It would say that there is no npm.
    const args = ['plugins', 'install', '--', '--ignore-scripts=false']
    const { code, stderr } = await connect(emptyHome(), args, { env: { PATH: '/nonesuch' } })
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^\[x\] "--ignore-scripts=false" is no name of a plugin\n/) as string,
    })
  })
})

describe('an installation that is killed', () => {
  async function killedAt(context: TestContext, asked: RegExp): Promise<Home> {
    const home = homeWithNpm(registry, context)
    await connectOk(home, ['plugins', 'install', `${NAME}@0.9.0`])
    registry.hold(asked)
    const before = registry.asked.length
    const running = startConnect(home, ['plugins', 'install', NAME, '--json'])
    await until(() => registry.asked.slice(before).some((one) => asked.test(one)))
    expect(installFolders(home)).toHaveLength(2)
    await running.stop('SIGKILL')
    registry.hold(undefined)
    return home
  }

  test.for([
    ['as npm asks what there is', /^\/private-connect-testinit$/],
    ['as npm gets the package', /1\.0\.0\.tgz$/],
  ] as const)('%s leaves what was there, and the next one clears up', async ([, asked], context) => {
    const home = await killedAt(context, asked)
    expect(await platformsIn(home)).toEqual([[NAME, '0.9.0', 'testinit']])
    expect(await connect(home, ['daemon', 'status'])).toMatchObject({ code: 0, stderr: '' })
    await connectOk(home, ['plugins', 'install', NAME])
    expect(await platformsIn(home)).toEqual([[NAME, '1.0.0', 'testinit']])
    expect(installFolders(home)).toHaveLength(1)
  })
})

describe('whoever ends an installation ends npm, and what npm has started:', () => {
  testVariations(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)('%s', async (signal) => {
    const npm = new SlowNpm()
    const running = startConnect(emptyHome(), ['plugins', 'install', NAME], { env: { PATH: npm.path } })
    await npm.running()
    running.kill(signal)
    expect(await running.exited).toEqual({ code: null, signal })
    expect(npm.living()).toEqual([])
    expect(running.output).toBe('')
  })

  test('at once, if it is told twice', async () => {
    const npm = new SlowNpm()
    const running = startConnect(emptyHome(), ['plugins', 'install', NAME], { env: { PATH: npm.path } })
    const [leader] = await npm.running()
    running.kill('SIGINT')
    // Both signals at once would be one.
    await until(() => !npm.living().includes(leader!))
    const begin = performance.now()
    running.kill('SIGINT')
    expect(await running.exited).toEqual({ code: null, signal: 'SIGINT' })
    expect(performance.now() - begin).toBeLessThan(800)
    expect(npm.living()).toEqual([])
  })
})

test('two that are started at once are done one after the other', async (context) => {
  const home = homeWithNpm(undefined, context)
  const names = ['private-connect-one', 'private-connect-two']
  mkdirSync(home.folder, { recursive: true })
  const folders = names.map((name, at) => writePlugin({ name, platform: `init-${at}` }))
  const env = { npm_config_offline: 'true' }
  await Promise.all(folders.map((folder) => connectOk(home, ['plugins', 'install', folder], { env })))
  expect(listedNames(home).toSorted()).toEqual(names)
})
