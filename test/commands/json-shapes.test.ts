import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { issueAuthority } from '../../src/hub/tls/issue.ts'
import { pemPair } from '../../src/hub/tls/pem-pair.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { documentedShapes, mismatches } from '../fixtures/product/json-shape.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect, connectOk, root, startConnect, type CliOptions } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { writePlugin } from '../helpers/plugins/plugin-folder.ts'
import { homeWithNpm } from '../helpers/plugins/plugin-home.ts'
import { echoServer, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

const shapes = documentedShapes()
/** What the tests below have seen, and which fields were once null and once not. */
const seen = new Map<string, Set<string>>()

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

const env = { CONNECT_PLATFORM: 'background' }

/** Holds a document against what is written of the command. */
function fits(title: string, text: string): Record<string, unknown> {
  const shape = shapes.get(title)
  if (!shape) throw new Error(`docs/json.md does not describe ${title}`)
  expect(text).not.toContain('undefined')
  const value = JSON.parse(text) as Record<string, unknown>
  expect(mismatches(value, shape.fields), `${title}: ${text}`).toEqual([])
  const fields = seen.get(title) ?? new Set()
  seen.set(title, fields)
  for (const [key, field] of Object.entries(value)) fields.add(field === null ? `${key} null` : key)
  return value
}

/** Runs a command with --json. @returns its document, which fits */
async function prints(
  home: Home,
  line: string,
  options: CliOptions & { code?: number } = {},
): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await connect(home, [...line.split(' '), '--json'], {
    ...options,
    env: { ...env, ...options.env },
  })
  expect(code, `${line}: ${stderr}`).toBe(options.code ?? 0)
  const title = [...shapes.keys()].find((heading) => `connect ${line} `.startsWith(`${heading} `))
  return fits(code === 0 ? (title ?? line) : 'Errors', stdout)
}

describe('docs/json.md', () => {
  test('describes every command that has --json, and no other', () => {
    const manifest = JSON.parse(readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')) as {
      commands: Record<string, { enableJsonFlag: boolean }>
    }
    const commands = Object.entries(manifest.commands)
      .filter(([id, command]) => command.enableJsonFlag && id !== 'daemon')
      .map(([id]) => `connect ${id.replaceAll(':', ' ')}`)
    const described = [...shapes.keys()].map((title) => title.replace(/ (?:--|without ).*/, ''))
    expect([...new Set(described)].toSorted()).toEqual(['Errors', ...commands].toSorted())
  })

  test.for([...shapes])('has an example that fits its own table: %s', ([, { example, fields }]) => {
    expect(mismatches(example, fields)).toEqual([])
    expect(fields.size).toBeGreaterThan(0)
  })

  test('has all warnings: no command prints one past its document', () => {
    const files = globSync('src/{commands,cli}/**/*.ts', { cwd: root })
    const past = files.filter((file) =>
      /printError\(\s*['`]\[!\]/.test(readFileSync(path.join(root, file), 'utf8')),
    )
    expect(past).toEqual(['src/cli/command.ts'])
  })

  test('calls the same alike, whether a service or a reach is taken back', () => {
    const fields = (title: string) => [...shapes.get(title)!.fields.keys()]
    expect(fields('connect unreach')).toEqual(fields('connect unexpose'))
  })

  test('is held to what is there: another type, a field too many and one too few are found', () => {
    const { fields } = shapes.get('connect unexpose')!
    expect(mismatches({ name: 1, removed: null, ended: 0, more: '', warnings: [] }, fields)).toEqual([
      'more is not described',
      'name is a number, not a string',
      'removed is null',
      'connections is left out',
    ])
    expect(mismatches({ name: '', ended: null, connections: null }, fields)).toEqual([
      'removed is left out',
      'warnings is left out',
    ])
  })
})

describe('what is printed is what is described:', () => {
  test('login, whoami, logout', async () => {
    const home = emptyHome()
    const login = { env: { PRIVATECONNECT_TOKEN: await world.joinToken(), CONNECT_HUB_URL: world.hubUrl } }
    expect(await prints(home, 'login', login)).toMatchObject({ alreadyLoggedIn: false })
    expect(await prints(home, 'login')).toMatchObject({ alreadyLoggedIn: true })
    await prints(home, 'whoami')
    expect(await prints(home, 'logout')).toEqual({ loggedOut: true, hubForgot: true, warnings: [] })
    expect(await prints(home, 'logout')).toEqual({ loggedOut: false, hubForgot: null, warnings: [] })
  })

  test('status', async () => {
    const [home, broken] = [await joined(world, 'status'), emptyHome()]
    expect(await prints(home, 'status')).toMatchObject({ loggedIn: true, hubSilence: null })
    expect(await prints(emptyHome(), 'status')).toMatchObject({ login: null, offered: null })
    mkdirSync(broken.file('.'), { mode: 0o700, recursive: true })
    for (const name of ['config.json', 'services.json', 'reaches.json'])
      writeFileSync(broken.file(name), '{', { mode: 0o600 })
    expect(await prints(broken, 'status')).toMatchObject({ loggedIn: null, exposed: null, reaches: null })
    const config = readFileSync(home.file('config.json'), 'utf8')
    writeFileSync(home.file('config.json'), config.replace(world.hubUrl, 'http://127.0.0.1:9'))
    expect(await prints(home, 'status')).toMatchObject({ hubSilence: expect.any(String) })
  })

  test('doctor, where all is well and where something failed', async () => {
    expect(await prints(await joined(world, 'doctor'), 'doctor --bundle doctor.json')).toMatchObject({
      ok: true,
    })
    const home = emptyHome()
    mkdirSync(home.file('.'), { mode: 0o700, recursive: true })
    writeFileSync(home.file('config.json'), '{', { mode: 0o600 })
    const { code, stdout } = await connect(home, ['doctor', '--json'], { env })
    expect({ code, ...fits('connect doctor', stdout) }).toMatchObject({ code: 1, ok: false })
  })

  test('expose, services, reach and unexpose, with an agent and without', async () => {
    const home = await joined(world, 'shapes')
    const expose = `expose ${echo.port} --name shapes`
    expect(await prints(home, expose)).toMatchObject({ state: 'no agent', reason: null, answering: true })
    await connectOk(home, ['daemon', 'start'], { env })
    expect(await prints(home, expose)).toMatchObject({ was: null, state: 'confirmed', reason: null })
    const was = { host: 'localhost', port: 9, path: null }
    await prints(home, 'expose 9 --name shapes')
    expect(await prints(home, expose)).toMatchObject({ was })
    expect(await prints(home, 'services')).toMatchObject({
      exposed: [{ name: 'shapes' }],
      offered: expect.arrayContaining([expect.objectContaining({ name: 'shapes', online: true })]),
    })
    const reach = world.keep(startConnect(home, ['reach', 'shapes', '--json']))
    await reach.printed(/\n\}\n/)
    await reach.stop('SIGINT')
    fits('connect reach', reach.stdout)
    const file = home.file('none.sock')
    expect(await prints(home, `expose unix:${file} --name socket`)).toMatchObject({ host: null, path: file })
    expect(await prints(home, 'services')).toMatchObject({
      exposed: [{ name: 'shapes' }, { name: 'socket', port: null, path: file }],
      offered: expect.arrayContaining([expect.objectContaining({ name: 'socket', port: null })]),
    })
    expect(await prints(home, 'daemon status')).toMatchObject({
      services: [
        { port: echo.port, path: null },
        { host: null, port: null, path: file },
      ],
    })
    const at = world.keep(startConnect(home, ['reach', 'shapes', '--socket', file, '--json']))
    await at.printed(/\n\}\n/)
    await at.stop('SIGINT')
    expect(fits('connect reach', at.stdout)).toMatchObject({ host: null, port: null, socket: file })
    await prints(home, 'unexpose socket')
    expect(await prints(home, 'unexpose shapes')).toEqual({
      name: 'shapes',
      removed: true,
      ended: 0,
      connections: 0,
      warnings: [],
    })
    expect(await prints(home, 'unexpose shapes')).toEqual({
      name: 'shapes',
      removed: false,
      ended: 0,
      connections: 0,
      warnings: [],
    })
  })

  test('reach --keep, reach and unreach, with an agent and without', async () => {
    const home = await joined(world, 'keeper')
    await connectOk(home, ['expose', String(echo.port), '--name', 'kept'], { env })
    const keep = async (...more: string[]) => {
      const args = ['reach', 'kept', '--keep', ...more, '--json']
      return fits('connect reach --keep', await connectOk(home, args, { env }))
    }
    const list = async () =>
      fits('connect reach without a name', await connectOk(home, ['reach', '--json'], { env }))
    expect(await keep('--port', '0')).toMatchObject({ outcome: 'kept', because: null, hasAgent: false })
    expect(await list()).toMatchObject({ reaches: [{ held: false, since: null, connections: null }] })
    await prints(home, 'daemon status')
    await prints(home, 'unreach kept')
    await connectOk(home, ['daemon', 'start'], { env })
    expect(await keep()).toMatchObject({ outcome: 'kept', because: expect.any(String), hasAgent: true })
    expect(await keep()).toMatchObject({ outcome: 'unchanged' })
    expect(await list()).toMatchObject({ reaches: [{ held: true, connections: 0 }] })
    await prints(home, 'daemon status')
    expect(await prints(home, 'unreach kept --drain')).toEqual({
      name: 'kept',
      removed: true,
      ended: 0,
      connections: 0,
      warnings: [],
    })
  })

  test('daemon start, status, restart and stop, through the life of a daemon', async () => {
    const home = await joined(world, 'life')
    expect(await prints(home, 'daemon status')).toMatchObject({
      status: 'stopped',
      lastExit: null,
      pid: null,
    })
    expect(await prints(home, 'daemon stop')).toEqual({ stopped: null, foregroundPid: null, warnings: [] })
    expect(await prints(home, 'daemon restart')).toMatchObject({ outcome: 'started', stopped: null })
    expect(await prints(home, 'daemon start')).toMatchObject({ outcome: 'already running', stopped: null })
    expect(await prints(home, 'daemon start --replace')).toMatchObject({
      outcome: 'started',
      stopped: 'exited',
    })
    await connectOk(home, ['expose', String(echo.port), '--name', 'life'], { env })
    expect(await prints(home, 'daemon status')).toMatchObject({
      status: 'running',
      connection: { state: 'connected', reason: null },
      services: [{ name: 'life' }],
      lastExit: { signal: 'SIGTERM', code: null },
    })
    expect(await prints(home, 'up')).toMatchObject({ detached: true })
    expect(await prints(home, 'daemon uninstall')).toEqual({ removed: false, files: [], warnings: [] })
    expect(await prints(home, 'daemon stop')).toEqual({
      stopped: 'exited',
      foregroundPid: null,
      warnings: [],
    })
    expect(await prints(home, 'daemon status')).toMatchObject({ lastExit: { signal: 'SIGTERM' } })
  })

  test('daemon logs, with a log and without', async () => {
    const home = await joined(world, 'logs')
    expect(await prints(home, 'daemon logs')).toMatchObject({ lines: [] })
    await connectOk(home, ['daemon', 'start'], { env })
    const logs = await prints(home, 'daemon logs')
    expect((logs.lines as unknown[]).length).toBeGreaterThan(2)
  })

  test(
    'a daemon that does not listen to SIGTERM, stopped and restarted',
    { tags: ['variation'] },
    async () => {
      const home = await joined(world, 'deaf')
      const freeze = async (line: string) => {
        const { pid } = await prints(home, line)
        process.kill(pid as number, 'SIGSTOP')
      }
      await freeze('daemon start')
      expect(await prints(home, 'daemon status')).toMatchObject({
        unresponsive: true,
        silence: expect.any(String),
        connection: null,
      })
      expect(await prints(home, 'daemon start')).toMatchObject({ outcome: 'already running', hub: null })
      expect(await prints(home, 'daemon stop')).toEqual({
        stopped: 'killed',
        foregroundPid: null,
        warnings: [],
      })
      expect(await prints(home, 'daemon status')).toMatchObject({ lastExit: { signal: 'SIGKILL' } })
      await freeze('daemon start')
      expect(await prints(home, 'daemon restart')).toMatchObject({ outcome: 'started', stopped: 'killed' })
    },
  )

  test('a daemon that is gone without a word, and a machine that is not configured', async () => {
    const home = await joined(world, 'gone')
    const { pid } = await prints(home, 'daemon start')
    process.kill(pid as number, 'SIGKILL')
    const status = () => prints(home, 'daemon status')
    await expect
      .poll(status, { timeout: 30_000 })
      .toMatchObject({ lastExit: { at: null, code: null, signal: null } })
    expect(await prints(emptyHome(), 'daemon status')).toMatchObject({
      configured: false,
      agentId: null,
      hub: null,
    })
  })

  test('a machine behind a proxy, with an authority of its own', async () => {
    const home = await joined(world, 'proxied')
    const file = home.file('config.json')
    const more = { proxy: 'http://ada:secret@proxy.test:3128/', ca: '/etc/our-ca.pem' }
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...more }))
    expect(await prints(home, 'daemon status')).toMatchObject({
      proxy: 'http://proxy.test:3128',
      ca: more.ca,
    })
  })

  test('an agent that runs in the foreground', async () => {
    const home = await joined(world, 'foreground')
    const up = world.keep(startConnect(home, ['up', '--foreground', '--json'], { env }))
    const status = () => prints(home, 'daemon status')
    await expect.poll(status, { timeout: 30_000 }).toMatchObject({
      foregroundPid: up.pid,
      foreground: { pid: up.pid },
      pid: null,
    })
    await prints(home, 'daemon start', { code: 1 })
    expect(await prints(home, 'daemon stop')).toEqual({ stopped: null, foregroundPid: up.pid, warnings: [] })
    await up.stop('SIGINT')
    expect(fits('connect up', up.stdout)).toMatchObject({ detached: false, pid: up.pid })
  })

  test('hub start, status, restart, stop and logs, through the life of a hub', async () => {
    const home = emptyHome('hub-life')
    expect(await prints(home, 'hub status')).toMatchObject({ status: 'stopped', lastExit: null, url: null })
    expect(await prints(home, 'hub logs')).toMatchObject({ lines: [] })
    expect(await prints(home, 'hub stop')).toEqual({ stopped: null, foregroundPid: null, warnings: [] })
    const foreground = world.keep(startConnect(home, ['hub', '--listen', '127.0.0.1:0'], { env }))
    await foreground.printed(/Hub listening/)
    expect(await prints(home, 'hub status')).toMatchObject({
      foregroundPid: foreground.pid,
      certificate: null,
    })
    expect(await prints(home, 'hub stop')).toEqual({
      stopped: null,
      foregroundPid: foreground.pid,
      warnings: [],
    })
    await foreground.stop('SIGINT')
    expect(await prints(home, 'hub start --listen 0.0.0.0:0')).toMatchObject({ outcome: 'started' })
    expect(await prints(home, 'hub status')).toMatchObject({
      status: 'running',
      certificate: { own: true, warning: null },
      machines: { joined: 0, online: 0 },
    })
    expect(await prints(home, 'hub start --listen 127.0.0.1:0')).toMatchObject({ stopped: 'exited' })
    const { pid } = await prints(home, 'hub restart')
    process.kill(pid as number, 'SIGSTOP')
    expect(await prints(home, 'hub status')).toMatchObject({ unresponsive: true, machines: null })
    expect(await prints(home, 'hub start')).toMatchObject({ outcome: 'already running', listen: null })
    expect(await prints(home, 'hub stop')).toEqual({ stopped: 'killed', foregroundPid: null, warnings: [] })
    expect(await prints(home, 'hub restart')).toMatchObject({ outcome: 'started', stopped: null })
    expect(await prints(home, 'hub uninstall')).toEqual({ removed: false, files: [], warnings: [] })
    expect(((await prints(home, 'hub logs')).lines as unknown[]).length).toBeGreaterThan(2)
  })

  test('the hub’s tokens and machines', async () => {
    const { id } = await prints(world.hubHome, 'hub token create')
    const made = await connectOk(world.hubHome, ['hub', 'token', 'create', '--invite', '--json'])
    fits('connect hub token create --invite', made)
    await prints(world.hubHome, 'hub token list')
    expect(await prints(world.hubHome, `hub token revoke ${String(id)}`)).toEqual({
      revoked: id,
      saved: true,
      warnings: [],
    })
    const home = await joined(world, 'revoked')
    const { agentId } = await prints(home, 'whoami')
    expect(await prints(world.hubHome, 'hub agent list')).toMatchObject({
      agents: expect.arrayContaining([
        expect.objectContaining({ id: agentId, revoked: false, online: false }),
      ]),
    })
    expect(await prints(world.hubHome, `hub agent revoke ${String(agentId)}`)).toEqual({
      revoked: agentId,
      saved: true,
      warnings: [],
    })
  })

  test('a backup of the hub, and what becomes of it', async () => {
    const home = await joined(world, 'backed-up')
    const { agentId } = await prints(home, 'whoami')
    const [one, other] = [scratchFolder(), scratchFolder()]
    const backup = path.join(scratchFolder(), 'backup.db')
    const restore = (file: string, folder: string) =>
      prints(world.hubHome, `hub restore ${file} --data-dir ${folder}`)
    const agents = expect.arrayContaining([expect.objectContaining({ id: agentId, names: [] })]) as unknown
    expect(await prints(world.hubHome, `hub backup ${backup}`)).toMatchObject({ hasKey: false, unsaved: 0 })
    expect(await restore(backup, one)).toMatchObject({ before: 'none', kept: null, authority: null, agents })
    mkdirSync(path.join(one, 'tls'), { mode: 0o700 })
    writeFileSync(path.join(one, 'tls/authority.key'), pemPair(await issueAuthority(Date.now())), {
      mode: 0o600,
    })
    const withKey = path.join(scratchFolder(), 'backup.db')
    await prints(world.hubHome, `hub backup ${withKey} --data-dir ${one}`)
    expect(await restore(withKey, other)).toMatchObject({ authority: 'restored' })
    await prints(world.hubHome, `hub agent list --data-dir ${other}`)
    const removed = await prints(world.hubHome, `hub agent remove ${String(agentId)} --data-dir ${other}`)
    expect(removed).toEqual({ removed: agentId, saved: true, warnings: [] })
    const copy = path.join(one, 'copy.db')
    copyFileSync(path.join(one, 'hub.db'), copy)
    expect(await restore(copy, other)).toMatchObject({
      madeAt: null,
      before: 'same',
      kept: expect.any(String),
    })
  })

  test('plugins, from the first to the last', async (context) => {
    const home = homeWithNpm(undefined, context)
    const folder = writePlugin()
    const env = { npm_config_offline: 'true' }
    const plugins = async (title: string, ...args: string[]) => {
      const words = ['plugins', ...title.split(' ').filter(Boolean), ...args, '--json']
      return fits(['connect plugins', title].join(' ').trim(), await connectOk(home, words, { env }))
    }
    const name = 'private-connect-testinit'
    expect(await plugins('install', folder)).toMatchObject({ name, platforms: ['testinit'] })
    expect(await plugins('')).toMatchObject({ plugins: [{ name, type: 'user', problem: null }] })
    expect(await plugins('update')).toEqual({
      updated: [{ name, before: '1.0.0', version: '1.0.0', error: null }],
      warnings: [],
    })
    expect(await plugins('link', folder)).toMatchObject({ root: folder })
    expect(await plugins('uninstall', name)).toEqual({ name, warnings: [] })
    expect(await plugins('reset')).toEqual({ names: [], warnings: [] })
    const { stdout } = await connect(home, ['plugins', 'uninstall', name, '--json'])
    expect(fits('Errors', stdout)).toMatchObject({ error: { code: 'PLUGIN_UNKNOWN' } })
  })

  test('warnings are in the document, an error’s too: of plugins, and of a backup nobody will know of', async (context) => {
    const home = homeWithNpm(undefined, context)
    const folder = writePlugin()
    await connectOk(home, ['plugins', 'link', folder])
    rmSync(folder, { recursive: true })
    const warnings = [
      expect.stringMatching(/^Plugin private-connect-testinit is not there: .* To remove it: /),
    ]
    expect(await prints(home, 'daemon status')).toMatchObject({ warnings })
    expect(await prints(home, 'plugins')).toMatchObject({ warnings })
    expect(await prints(home, 'daemon start', { code: 1 })).toMatchObject({
      error: { code: 'NOT_CONFIGURED' },
      warnings,
    })
    const { stdout } = await connect(home, ['frobnicate', '--json'])
    expect(fits('Errors', stdout)).toMatchObject({ error: { code: 'USAGE' }, warnings })
    const data = scratchFolder()
    await connectOk(home, ['hub', 'token', 'create', '--data-dir', data])
    mkdirSync(path.join(data, 'hub.backup.json'))
    const file = path.join(scratchFolder(), 'backup.db')
    expect(await prints(home, `hub backup ${file} --data-dir ${data}`)).toMatchObject({
      warnings: [expect.stringMatching(/^connect doctor will not know of this backup\. Could not write /)],
    })
  })

  test('errors: of every kind of command, and of the command line', async () => {
    const nobody = emptyHome()
    for (const line of [
      'whoami',
      'services',
      'daemon start',
      'daemon restart',
      'daemon install',
      'unexpose web',
    ])
      expect(await prints(nobody, line, { code: 1 })).toMatchObject({ error: { code: 'NOT_CONFIGURED' } })
    for (const line of ['daemon status --frobnicate', 'expose 80'])
      expect(await prints(nobody, line, { code: 2 })).toMatchObject({ error: { code: 'USAGE' } })
    const home = await joined(world, 'errors')
    expect(await prints(home, 'daemon install', { code: 1 })).toMatchObject({
      error: { code: 'INSTALL_UNSUPPORTED' },
    })
    writeFileSync(home.file('config.json'), '{')
    expect(await prints(home, 'daemon status', { code: 1 })).toMatchObject({
      error: { code: 'CONFIG_DAMAGED' },
    })
  })

  describe('without a hub', { tags: ['variation'] }, () => {
    beforeAll(() => world.hub.stop())
    afterAll(() => world.restartHub())

    test('services, expose, start, status and logout say what is in the way', async () => {
      const home = await joinedBefore()
      const { code, stdout } = await connect(home, ['services', '--json'])
      expect(code).toBe(1)
      expect(fits('connect services', stdout)).toMatchObject({
        offered: null,
        warnings: [expect.stringMatching(/^What the workspace offers is not known: .*connection refused/)],
      })
      expect(await prints(home, 'daemon start')).toMatchObject({
        hub: { state: 'retrying', reason: expect.stringContaining('connection refused') },
      })
      expect(await prints(home, 'expose 9 --name later')).toMatchObject({
        state: 'saved',
        reason: expect.stringContaining('connection refused'),
        answering: false,
        warnings: [
          expect.stringContaining('The hub has not confirmed it yet'),
          expect.stringContaining('Nothing answers at localhost:9 now: '),
        ],
      })
      expect(await prints(home, 'daemon status')).toMatchObject({ connection: { state: 'retrying' } })
      await prints(home, 'daemon stop')
      expect(await prints(home, 'logout')).toEqual({
        loggedOut: true,
        hubForgot: false,
        warnings: [expect.stringContaining('The hub could not be told: ')],
      })
    })
  })
})

// Only all of the tests above have seen it.
test(
  'everything that is described was seen, and every field that may be null both ways',
  { tags: ['variation'] },
  () => {
    // Only a machine with a service manager installs anything.
    const unseen = [...shapes.keys()].filter(
      (title) => title !== 'Errors' && !/^connect (daemon|hub) install$/.test(title),
    )
    expect([...seen.keys()].filter((title) => title !== 'Errors').toSorted()).toEqual(unseen.toSorted())
    // What only a service manager or a full disk brings, and what stops answering just after it was started.
    const rare = new Set([
      'daemon status: reason',
      'daemon status: restarts',
      'daemon restart: hub',
      'daemon start: updated',
      'daemon restart: updated',
      'daemon start: version',
      'daemon restart: version',
      'hub status: reason',
      'hub status: restarts',
      'hub status: unsaved',
      'hub status: waitsFor',
      'hub start: updated',
      'hub start: version',
      'hub start: joining',
      'hub restart: joining',
      'hub restart: listen',
      'hub restart: url',
      'hub restart: updated',
      'hub restart: version',
      'unexpose: ended',
      'unexpose: connections',
    ])
    const halves = [...seen].flatMap(([title, fields]) =>
      [...shapes.get(title)!.fields]
        .filter(
          ([name, type]) =>
            /^\w+$/.test(name) &&
            type.endsWith(' or null') &&
            !rare.has(`${title}: ${name}`.replace('connect ', '')),
        )
        .filter(([name]) => !fields.has(name) || !fields.has(`${name} null`))
        .map(([name]) => `${title}: ${name}`),
    )
    expect(halves).toEqual([])
  },
)

/** A machine with a credential for the hub that is stopped now. */
async function joinedBefore(): Promise<Home> {
  await world.restartHub()
  const home = await joined(world, 'lonely')
  await world.hub.stop()
  return home
}
