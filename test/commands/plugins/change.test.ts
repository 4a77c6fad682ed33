import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { descriptionOf, HELLO_COMMAND, writePlugin } from '../../helpers/plugins/plugin-folder.ts'
import { homeWithNpm, installFolders, listedNames } from '../../helpers/plugins/plugin-home.ts'
import { Registry } from '../../helpers/plugins/registry.ts'
import { testVariations } from '../../helpers/variations.ts'

const NAME = 'private-connect-testinit'

let registry: Registry

beforeAll(async () => {
  registry = await Registry.start()
})

afterAll(() => registry.stop())

async function linked(name?: string): Promise<{ home: Home; folder: string }> {
  const home = emptyHome(name)
  const folder = writePlugin()
  await connectOk(home, ['plugins', 'link', folder])
  return { home, folder }
}

describe('update', () => {
  test('takes what is new where each came from, and keeps what has no better', async (context) => {
    const home = homeWithNpm(registry, context)
    const folder = writePlugin({ name: 'private-connect-local', platform: 'local' })
    for (const version of ['1.0.0', '1.1.0']) {
      registry.publish({ version })
      if (version === '1.0.0') {
        await connectOk(home, ['plugins', 'install', NAME])
        await connectOk(home, ['plugins', 'install', folder])
      }
    }
    writePlugin({ name: 'private-connect-local', platform: 'local', version: '1.0.1' }, folder)
    expect(await connectOk(home, ['plugins', 'update'])).toBe(
      `[ok] Updated ${NAME} from 1.0.0 to 1.1.0\n[ok] Updated private-connect-local from 1.0.0 to 1.0.1\n`,
    )
    rmSync(folder, { recursive: true })
    registry.publish({ version: '2.0.0', description: 'throw new Error("no such library")' })
    const { code, stderr } = await connect(home, ['plugins', 'update'])
    expect({ code, stderr: stderr.split('\n') }).toEqual({
      code: 1,
      stderr: [
        `[!] ${NAME} stays as it is: Plugin ${NAME} failed: no such library`,
        `[!] private-connect-local stays as it is: There is no ${folder}`,
        '',
      ],
    })
    const list = await connectOk(home, ['plugins'])
    expect(list).toBe(`${NAME} 1.1.0: platform testinit\nprivate-connect-local 1.0.1: platform local\n`)
    expect(installFolders(home)).toHaveLength(2)
    registry.publish({ version: '2.0.1' })
    expect(await connectOk(home, ['plugins', 'update', NAME])).toContain('from 1.1.0 to 2.0.1\n')
    expect(await connectOk(home, ['plugins', 'update', NAME])).toBe(`[ok] ${NAME} 2.0.1 is the newest\n`)
  })

  test('keeps the version whose platform keeps the daemon, if the new one brings another', async (context) => {
    const home = homeWithNpm(undefined, context)
    const folder = writePlugin()
    const env = { npm_config_offline: 'true' }
    await connectOk(home, ['plugins', 'install', folder], { env })
    mkdirSync(home.file('hub'), { recursive: true })
    writeFileSync(home.file('hub/hub.testinit'), '')
    writePlugin({ version: '1.2.3', platform: 'otherinit' }, folder)
    const lost = `The hub is installed in testinit, which this version of ${NAME} does not bring`
    expect(await connect(home, ['plugins', 'update'], { env })).toMatchObject({
      code: 1,
      stderr: `[!] ${NAME} stays as it is: ${lost}\n`,
    })
    expect(await connect(home, ['plugins', 'install', folder], { env })).toMatchObject({
      code: 1,
      stderr: `[x] ${lost}\n  Remove it from there first: connect hub uninstall\n`,
    })
    expect(await connectOk(home, ['plugins'])).toBe(`${NAME} 1.0.0: platform testinit\n`)
    rmSync(home.file('hub/hub.testinit'))
    expect(await connectOk(home, ['plugins', 'update'], { env })).toContain('from 1.0.0 to 1.2.3')
  })
})

describe('uninstall', () => {
  test('leaves nothing, and needs no npm', async (context) => {
    const home = homeWithNpm(undefined, context)
    await connectOk(home, ['plugins', 'install', writePlugin()], { env: { npm_config_offline: 'true' } })
    const env = { PATH: '/nonesuch' }
    expect(await connectOk(home, ['plugins', 'uninstall', NAME], { env })).toBe(
      `[ok] Removed the plugin ${NAME}\n`,
    )
    expect([listedNames(home), installFolders(home)]).toEqual([[], []])
    expect(await connect(home, ['plugins', 'uninstall', NAME])).toMatchObject({
      code: 1,
      stderr: `[x] There is no plugin ${NAME} installed\n  There are none.\n`,
    })
  })

  test('of a plugin that keeps a daemon or the hub is refused, and says what to do first', async () => {
    const { home } = await linked()
    const config = path.join(home.folder, 'staging.json')
    mkdirSync(home.file('hub'), { recursive: true })
    mkdirSync(home.file('instances'))
    writeFileSync(home.file('instances/staging'), `${config}\n`)
    for (const file of [home.file('hub/hub.testinit'), path.join(home.folder, 'staging.testinit')])
      writeFileSync(file, '')
    const refused = await connect(home, ['plugins', 'uninstall', NAME])
    expect(refused).toMatchObject({
      code: 1,
      stderr:
        `[x] The daemon is installed in testinit, which the plugin ${NAME} brings\n` +
        '  Remove it from there first: connect daemon uninstall --config ' +
        `${config}\n` +
        '  Remove it from there first: connect hub uninstall\n' +
        `  Or leave it there, for testinit to run: connect plugins uninstall ${NAME} --force\n`,
    })
    expect(listedNames(home)).toEqual([NAME])
    expect((await connect(home, ['plugins', 'reset'])).code).toBe(1)
    expect(await connect(home, ['plugins', 'uninstall', NAME, '--force'])).toMatchObject({
      code: 0,
      stdout: `[ok] Removed the plugin ${NAME}\n`,
      stderr:
        '[!] The daemon stays installed in testinit, and nothing here can stop or remove it any more\n' +
        '[!] The hub stays installed in testinit, and nothing here can stop or remove it any more\n',
    })
    expect(listedNames(home)).toEqual([])
  })
})

test('a link is to the folder, and what is linked is not updated', async () => {
  const { home, folder } = await linked()
  expect(await connectOk(home, ['plugins'])).toBe(`${NAME} 1.0.0 (link) ${folder}: platform testinit\n`)
  writePlugin({ version: '1.2.3', platform: 'otherinit' }, folder)
  expect(await connectOk(home, ['plugins'])).toBe(`${NAME} 1.2.3 (link) ${folder}: platform otherinit\n`)
  expect(await connectOk(home, ['plugins', 'update'])).toBe('There is no plugin to update\n')
  expect((await connect(home, ['plugins', 'update', NAME])).stderr).toContain('is linked')
  expect(await connectOk(home, ['plugins', 'reset'])).toBe(`[ok] Removed: ${NAME}\n`)
})

test('what oclif itself has installed before is used, and goes without a trace', async () => {
  const home = emptyHome()
  const data = path.join(home.folder, '.local/share/private-connect')
  writePlugin({}, path.join(data, 'node_modules', NAME))
  const list = {
    dependencies: { [NAME]: '^1.0.0' },
    oclif: { plugins: [{ name: NAME, type: 'user', tag: 'latest' }] },
  }
  writeFileSync(path.join(data, 'package.json'), JSON.stringify(list))
  expect(await connectOk(home, ['plugins'])).toBe(`${NAME} 1.0.0: platform testinit\n`)
  await connectOk(home, ['plugins', 'uninstall', NAME])
  expect(await connect(home, ['plugins'])).toMatchObject({ stdout: 'No plugins are installed\n', stderr: '' })
})

describe('a plugin that is broken is one warning, where it matters, and no stop:', () => {
  const gone = (folder: string) => rmSync(folder, { recursive: true })
  const write = (file: string, text: string) => (folder: string) =>
    writeFileSync(path.join(folder, file), text)
  const package_ = (more: object) => (folder: string) => void writePlugin({ more }, folder)
  const cases: readonly [string, (folder: string) => void, string][] = [
    ['its folder was deleted', gone, 'is not there: '],
    ['its package.json is damaged', write('package.json', '{'), 'has a package.json that can’t be read: '],
    [
      'its package.json has no name',
      package_({ name: undefined }),
      'has a package.json that can’t be used: ',
    ],
    ['it has another name now', package_({ name: 'other' }), 'is called other in its package.json'],
    ['a file is missing', (folder) => rmSync(path.join(folder, 'description.js')), 'lacks ./description.js'],
    ['it throws as it is loaded', write('description.js', 'throw new Error("oh")'), 'failed: oh'],
    [
      'it hangs as it is loaded',
      write('description.js', 'await new Promise(() => {})'),
      'failed: it gave no answer',
    ],
    [
      'its hook hangs',
      write('description.js', 'export default () => new Promise(() => {})'),
      'failed: it gave no',
    ],
    [
      'it ends the program as it is loaded',
      write('description.js', 'process.exit(0)'),
      'failed: it wanted to',
    ],
    [
      'its hook ends the program',
      write('description.js', 'export default () => process.exit(0)'),
      'failed: it wanted to end the program',
    ],
    [
      'its hook throws what has no text',
      write('description.js', 'export default () => { throw Object.create(null) }'),
      'failed: it threw what can’t be told',
    ],
    [
      'its answer throws when it is looked at',
      write('description.js', 'export default () => ({ get apiVersion() { throw new Error("oh") } })'),
      'brings a platform that is not usable: oh',
    ],
    [
      'its manifest is nothing',
      (folder) => {
        writePlugin({ more: { oclif: { commands: './commands' } } }, folder)
        writeFileSync(path.join(folder, 'oclif.manifest.json'), 'null')
      },
      'has an oclif.manifest.json that can’t be used: ',
    ],
    [
      'it is made for another major version',
      package_({ engines: { 'private-connect': '^7.1' } }),
      'is made for Private Connect ^7.1, and this is ',
    ],
    [
      'it is too old',
      write('description.js', 'export default () => ({ apiVersion: 0 })'),
      'is made for an older Private Connect: its apiVersion is 0, this one knows 1 and 2',
    ],
  ]

  testVariations(cases)('%s', async ([, spoil, what]) => {
    const { home, folder } = await linked()
    spoil(folder)
    const status = await connect(home, ['daemon', 'status'])
    expect(status).toMatchObject({ code: 0, stdout: expect.stringContaining('○ Status: stopped') as string })
    expect(status.stderr).toMatch(/^[^\n]+\n$/)
    expect(status.stderr).toContain(`[!] Plugin ${NAME} ${what}`)
    expect(status.stderr).toContain(`. To remove it: connect plugins uninstall ${NAME}\n`)
    for (const other of [['status'], ['hub', '--help'], ['whoami', '--help']])
      expect(await connect(home, other)).toMatchObject({ code: 0, stderr: '' })
    const plugins = await connect(home, ['plugins'])
    expect(plugins).toMatchObject({ code: 0, stderr: status.stderr })
    expect(plugins.stdout).toContain(NAME)
    expect(await connect(home, ['plugins', 'uninstall', NAME])).toMatchObject({
      code: 0,
      stdout: `[ok] Removed the plugin ${NAME}\n`,
      stderr:
        '[!] It can’t be loaded, so it can’t say whether the daemon or the hub is installed in its platform\n',
    })
    expect(await connect(home, ['daemon', 'status'])).toMatchObject({ code: 0, stderr: '' })
  })

  test('it has very much to say: a line of that is told', async () => {
    const { home, folder } = await linked()
    write('description.js', 'throw new Error("oh".repeat(1_000_000))')(folder)
    const { code, stderr } = await connect(home, ['daemon', 'status'])
    expect(code).toBe(0)
    expect(stderr.length).toBeLessThan(1500)
  })

  test('what it says of its commands reaches no terminal as it is', async () => {
    const { home, folder } = await linked()
    const command = { id: 'evil', summary: '\u001B]0;evil\u0007\u202Esafe', args: {}, flags: {}, aliases: [] }
    const commands = { evil: command, ['evil\u0007']: { ...command, id: 'evil\u0007' } }
    writePlugin({ files: { 'commands/a.js': '' }, more: { oclif: { commands: './commands' } } }, folder)
    write('oclif.manifest.json', JSON.stringify({ version: '1.0.0', commands }))(folder)
    for (const args of [['--help'], ['help', 'evil'], ['evill'], ['evill', '--json']]) {
      const { stdout, stderr } = await connect(home, args)
      const said = stdout + stderr
      expect(said).toContain('evil')
      // oxlint-disable-next-line no-control-regex -- a style of ours is one
      expect(said.replaceAll(/\u001B\[\d*m/g, '').replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}/u)
    }
  })

  test('a command of ours is none that it brings', async () => {
    const home = emptyHome()
    const commands = Object.fromEntries(
      ['daemon:stop', 'help', 'testinit:hello'].map((id) => [
        id,
        { id, args: {}, flags: {}, aliases: ['up'] },
      ]),
    )
    const folder = writePlugin({
      files: {
        'commands/a.js': '',
        'oclif.manifest.json': JSON.stringify({ version: '1.0.0', commands }),
      },
      more: { oclif: { commands: './commands' } },
    })
    expect(await connectOk(home, ['plugins', 'link', folder])).toBe(
      `[ok] Linked the plugin ${NAME} 1.0.0, as it is in ${folder}\n  It brings the command connect testinit hello\n`,
    )
    expect(await connectOk(home, ['daemon', 'stop'])).toContain('nothing to stop')
  })

  test('it leaves a timer running: the command ends all the same', async () => {
    const { home, folder } = await linked()
    write('description.js', `setInterval(() => {}, 1000)\n${descriptionOf('testinit')}`)(folder)
    for (const args of [['daemon', 'status'], ['plugins']])
      expect(await connect(home, args)).toMatchObject({ code: 0, stderr: '' })
  })

  const loops: readonly [string, (folder: string) => void][] = [
    ['as it is imported', write('description.js', 'for (;;) {}')],
    ['as it is asked', write('description.js', 'export default () => { for (;;) {} }')],
    [
      'in a command of its',
      (folder) => {
        const files = { 'commands/testinit/hello.js': 'for (;;) {}' }
        writePlugin({ files, more: { oclif: { commands: './commands' } } }, folder)
      },
    ],
  ]

  testVariations(loops)('it loops without an end %s: it can be listed and removed', async ([, spoil]) => {
    const { home, folder } = await linked()
    spoil(folder)
    const options = { timeoutMs: 20_000 }
    expect((await connect(home, ['--version'], options)).code).toBe(0)
    expect(await connect(home, ['plugins'], options)).toMatchObject({
      code: 0,
      stdout: `${NAME} (link) ${folder}\n`,
      stderr: `[!] Plugin ${NAME} failed: it gave no answer within 2 s. To remove it: connect plugins uninstall ${NAME}\n`,
    })
    const again = await connect(home, ['plugins', 'link', folder], options)
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it gave no answer within 2 s') as string,
    })
    expect(await connect(home, ['plugins', 'uninstall', NAME], options)).toMatchObject({
      code: 0,
      stdout: `[ok] Removed the plugin ${NAME}\n`,
    })
    expect(await connect(home, ['daemon', 'status'], options)).toMatchObject({ code: 0, stderr: '' })
  })

  test('its list can be changed by others: nothing in it is run', async () => {
    const { home, folder } = await linked()
    write('description.js', 'process.stdout.write("run")')(folder)
    chmodSync(path.join(home.folder, '.local/share/private-connect/package.json'), 0o666)
    const { code, stdout, stderr } = await connect(home, ['daemon', 'status'])
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.not.stringContaining('run\n') as string,
      stderr: expect.stringMatching(/^\[!\] \S+package\.json can be changed by other users/) as string,
    })
  })

  test('its hooks hang: only its own commands have them', async () => {
    const { home, folder } = await linked()
    const files = { 'hang.js': 'await new Promise(() => {})', 'commands/testinit/hello.js': HELLO_COMMAND }
    const hooks = { init: './hang.js', prerun: './hang.js' }
    writePlugin({ files, more: { oclif: { commands: './commands', hooks } } }, folder)
    for (const args of [
      ['plugins'],
      ['help', 'testinit'],
      ['daemon', 'status'],
      ['plugins', 'uninstall', NAME],
    ])
      expect(await connect(home, args), args.join(' ')).toMatchObject({ code: 0, stderr: '' })
  })

  test('its command is found behind a topic of ours', async () => {
    const { home, folder } = await linked()
    writePlugin(
      { files: { 'commands/hub/hello.js': HELLO_COMMAND }, more: { oclif: { commands: './commands' } } },
      folder,
    )
    expect(await connectOk(home, ['hub', 'hello'])).toBe('hello from the plugin\n')
  })

  test('its commands can’t be imported: help, and a word that nobody knows, say so', async () => {
    const { home, folder } = await linked()
    const files = { 'commands/hello.js': 'await new Promise(() => {})' }
    writePlugin({ files, more: { oclif: { commands: './commands' } } }, folder)
    const warning = `[!] Plugin ${NAME} can’t be loaded: its commands took longer than 2 s to load. To remove it: connect plugins uninstall ${NAME}\n`
    expect(await connect(home, ['--help'])).toMatchObject({ code: 0, stderr: warning })
    const unknown = await connect(home, ['hello'])
    expect(unknown.code).toBe(2)
    expect(unknown.stderr.startsWith(`${warning}[x] There is no command "connect hello"\n`)).toBe(true)
  })

  test('the list is damaged: nothing stops, and what is to be done is said', async () => {
    const home = emptyHome()
    const file = path.join(home.folder, '.local/share/private-connect/package.json')
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, '{"oclif":')
    const { code, stderr } = await connect(home, ['daemon', 'status'])
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(
        /^\[!\] \S+package\.json is damaged: .*\. Repair that file; or remove it,/,
      ) as string,
    })
    expect((await connect(home, ['plugins', 'link', scratchFolder()])).stderr).not.toContain('    at ')
  })
})
