import { chownSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { installPlugins } from '../fixtures/machine/installed-plugins.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'

const env = { CONNECT_PLATFORM: 'background' }

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

const shown = (home: Home, ...args: string[]) => connectOk(home, ['status', ...args])

async function known(home: Home): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await connect(home, ['status', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as Record<string, unknown>
}

test('a machine that knows nothing is offered a hub of its own, or an invite; alone connect says the same', async () => {
  const expected =
    'This machine\n' +
    '  Hub here: none\n' +
    '  Logged in: no\n' +
    '\n' +
    '  Next: connect login (with an invite to a hub)\n' +
    '    or: connect hub start --listen 0.0.0.0:7700 (for a hub of your own, here; it does not come back after a reboot)\n' +
    '  All commands: connect --help\n'
  expect(await connect(emptyHome(), ['status'])).toEqual({
    code: 0,
    signal: null,
    stdout: expected,
    stderr: '',
  })
  expect(await connectOk(emptyHome(), [])).toBe(expected)
  expect(JSON.parse(await connectOk(emptyHome(), ['--json']))).toMatchObject({
    next: [{ command: 'connect login' }, { command: 'connect hub start --listen 0.0.0.0:7700' }],
  })
})

test('a wrong option exits 2', async () => {
  expect(await connect(emptyHome(), ['status', '--hub', 'x'])).toMatchObject({ code: 2, stdout: '' })
})

test('from login on it leads to the first service, and elsewhere to reaching that', async () => {
  const [server, laptop] = [await joined(world, 'server'), await joined(world, 'laptop')]
  expect(await shown(server)).toMatch(
    /^This machine\n {2}Hub here: none\n {2}Logged in: to http:\S+ as server \(agent_\w+\)\n {2}Daemon: stopped\n\n {2}Next: connect daemon start \(it does not come back after a reboot\)\n/,
  )
  await connectOk(server, ['daemon', 'start'], { env })
  expect(await shown(server)).toMatch(
    /\n {2}Daemon: running \(PID: \d+\), connected\n\n {2}Next: connect expose PORT --name NAME\n/,
  )
  await connectOk(server, ['expose', '80', '--name', 'first'])
  expect(await shown(server)).toMatch(
    /\n {2}Exposed: first → localhost:80\n\n {2}Next: connect reach first \(on another machine\)\n/,
  )
  await connectOk(laptop, ['daemon', 'start'], { env })
  expect(await shown(laptop)).toMatch(
    /\n {2}Offered elsewhere: first \(from server\)\n\n {2}Next: connect reach first\n/,
  )
  await connectOk(server, ['daemon', 'stop'], { env })
  expect(await shown(server)).toContain(
    '\n  Next: connect daemon start (it does not come back after a reboot)\n',
  )
  expect(await known(laptop)).toMatchObject({
    hub: { state: 'none' },
    loggedIn: true,
    login: { label: 'laptop', hub: world.hubUrl },
    agent: { state: 'running', mode: 'daemon', connection: { state: 'connected' } },
    exposed: [],
    reaches: [],
    offered: [{ name: 'first', label: 'server', online: false }],
    hubSilence: null,
    problems: [],
  })
})

test('an agent in the foreground is told from a daemon', async () => {
  const home = await joined(world, 'front')
  const up = world.keep(startConnect(home, ['up', '--foreground']))
  await up.printed(/Connected to hub/)
  expect(await shown(home)).toMatch(
    /\n {2}Daemon: stopped; an agent runs in the foreground \(PID: \d+\), connected\n[^]*\n {2}Next: connect daemon start \(after Ctrl-C where the agent runs; it does not come back after a reboot\)\n/,
  )
  await up.stop('SIGINT')
})

describe('a plugin that never answers, where nothing built in keeps a daemon, is waited for shortly:', () => {
  test.for([
    ['whether it is there', { probe: 'new Promise(() => {})', isInstalled: 'new Promise(() => {})' }],
    ['what it brings', { brings: 'await new Promise(() => {})' }],
  ] as const)('%s is not known', async ([, code]) => {
    const home = emptyHome()
    installPlugins(home, code)
    const began = performance.now()
    const { next } = (await known(home)) as { next: { command: string; note: string }[] }
    // Five seconds each were what its platform had for an answer, one after another.
    expect(performance.now() - began).toBeLessThan(6000)
    expect(next[1]).toEqual({
      command: 'connect hub start --listen 0.0.0.0:7700',
      note: 'for a hub of your own, here; whether it comes back after a reboot is not known: what could keep it does not say',
    })
  })
})

describe('an agent that runs with another login than the one that is saved by now is told, with what mends it:', () => {
  /** The config of a machine that has joined another hub, put in the place of the first at once. */
  async function moved(home: Home): Promise<string> {
    const other = await World.start()
    onTestFinished(() => other.stop())
    await connectOk(await other.echoMachine('there'), ['daemon', 'start'], { env })
    renameSync((await other.machine('moved')).file('config.json'), home.file('config.json'))
    return other.hubUrl
  }

  test('the daemon', async () => {
    const home = await joined(world, 'moves')
    await connectOk(home, ['daemon', 'start'], { env })
    expect(await known(home)).toMatchObject({ agent: { drift: [] } })
    const hubUrl = await moved(home)
    const drift = `The agent that runs is logged in to ${world.hubUrl}, and this machine to ${hubUrl}`
    await expect
      .poll(() => shown(home), { timeout: 30_000 })
      .toContain('\n  Offered elsewhere: echo (from there)\n')
    const text = await shown(home)
    expect(text).toContain(`, connected\n    ${drift}. Run: connect daemon restart\n`)
    expect(text).toContain('\n  Next: connect daemon restart\n')
    expect(await known(home)).toMatchObject({ agent: { state: 'running', drift: [drift] } })
    const daemon = await connectOk(home, ['daemon', 'status'], { env })
    expect(daemon).toContain(`\n    ${drift}. Run: connect daemon restart\n`)
    const { stdout: found } = await connect(home, ['doctor'], { env })
    expect(found).toContain(drift)
    await connectOk(home, ['daemon', 'restart'], { env })
    expect(await shown(home)).not.toContain('is logged in to')
    expect(JSON.parse(await connectOk(home, ['daemon', 'status', '--json'], { env }))).toMatchObject({
      drift: [],
    })
  })

  test('one in the foreground', async () => {
    const home = await joined(world, 'front-moves')
    const up = world.keep(startConnect(home, ['up', '--foreground']))
    await up.printed(/Connected to hub/)
    const hubUrl = await moved(home)
    const drift = `The agent that runs is logged in to ${world.hubUrl}, and this machine to ${hubUrl}`
    const told = `    ${drift}. End it with Ctrl-C where it runs (PID: ${up.pid}), and start it there again.\n`
    expect(await shown(home)).toContain(told)
    expect(await connectOk(home, ['daemon', 'status'], { env })).toContain(told)
    expect(JSON.parse(await connectOk(home, ['daemon', 'status', '--json'], { env }))).toMatchObject({
      drift: [],
      foreground: { drift: [drift] },
    })
    await up.stop('SIGINT')
  })
})

test('what it says to run is for the instance that it was asked about', async () => {
  const home = emptyHome()
  const file = `${home.folder}/work.json`
  expect(await shown(home, '--config', file)).toContain(
    `\n  Next: connect login --config ${file} (with an invite`,
  )
  expect(await connectOk(home, ['--config', file])).toBe(await shown(home, '--config', file))
})

describe('the hub', () => {
  test('of this machine is told, and how it is joined from here', async () => {
    const { hubHome, hubUrl } = world
    expect(await shown(hubHome)).toMatch(
      new RegExp(
        `\\n {2}Hub here: running \\(PID: ${world.hub.pid}\\) at ${hubUrl}, in the foreground, \\d+ of \\d+ machines connected\\n`,
      ),
    )
    expect(await known(hubHome)).toMatchObject({
      hub: { state: 'running', mode: 'foreground', pid: world.hub.pid, address: hubUrl },
      next: [{ command: 'connect hub token create --invite | connect login --token-file -' }],
    })
  })

  test('of this machine that is stopped is to be started first', async () => {
    const home = emptyHome()
    await connectOk(home, ['hub', 'token', 'create'])
    expect(await shown(home)).toMatch(
      /\n {2}Hub here: stopped\n {2}Logged in: no\n\n {2}Next: connect hub start \(it does not come back after a reboot\)\n/,
    )
  })

  test('that does not answer is waited for 2 seconds, and then what it has is not known', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const home = await joined(world, 'patient')
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const config = readFileSync(home.file('config.json'), 'utf8')
    writeFileSync(home.file('config.json'), config.replace(world.hubUrl, url))
    const began = performance.now()
    expect(await shown(home)).toContain(
      `\n  Offered elsewhere: not known: no answer within 2 s\n\n  Next: connect daemon start (it does not come back after a reboot)\n`,
    )
    // Ten seconds are what all others give it.
    expect(performance.now() - began).toBeLessThan(8000)
  })

  test('that is gone is said to be', async () => {
    const home = await joined(world, 'alone')
    const config = readFileSync(home.file('config.json'), 'utf8')
    writeFileSync(home.file('config.json'), config.replace(world.hubUrl, 'http://127.0.0.1:9'))
    expect(await known(home)).toMatchObject({
      offered: null,
      hubSilence: 'Could not reach the hub at http://127.0.0.1:9: connection refused',
    })
  })
})

describe('what is broken is said, with what to do, and it exits 0:', () => {
  const broken: [string, (home: Home) => void, RegExp, string][] = [
    [
      'a damaged config',
      (home) => writeFileSync(home.file('config.json'), '{', { mode: 0o600 }),
      /\n {2}Logged in: not known\n[^]*\n\[!\] ~\/\.privateconnect\/config\.json is not valid JSON\n {2}Fix the file, or move it away/,
      'CONFIG_DAMAGED',
    ],
    [
      'a config that others can read',
      (home) => writeFileSync(home.file('config.json'), '{}', { mode: 0o644 }),
      /\n\[!\] \S+ can be read by other users \(mode 644\)\n {2}Run: chmod 600 /,
      'CONFIG_EXPOSED',
    ],
    [
      'a damaged list of services',
      (home) => writeFileSync(home.file('services.json'), '[]'),
      /\n\[!\] ~\/\.privateconnect\/services\.json is damaged: /,
      'SERVICES_DAMAGED',
    ],
    [
      'damaged settings of the hub',
      (home) => writeFileSync(home.file('hub/config.json'), '{}'),
      /\n {2}Hub here: not known\n[^]*\n\[!\] ~\/\.privateconnect\/hub\/config\.json is damaged: /,
      'HUB_SETTINGS_DAMAGED',
    ],
    [
      'a folder where the config is to be',
      (home) => mkdirSync(home.file('config.json')),
      /\n\[!\] .*config\.json is not a file\n/,
      'CONFIG_UNREADABLE',
    ],
  ]

  test.for(broken)('%s', async ([, breakIt, said, code]) => {
    const home = emptyHome()
    mkdirSync(home.file('hub'), { recursive: true, mode: 0o700 })
    breakIt(home)
    const text = await shown(home)
    expect(text).toMatch(said)
    expect(text).not.toContain('Next:')
    expect(await known(home)).toMatchObject({ problems: [{ code, hints: [expect.any(String)] }], next: [] })
  })

  test.skipIf(process.getuid?.() !== 0)('a folder of another user, once for all that is in it', async () => {
    const home = await joined(world, 'foreign')
    chownSync(home.file('.'), 12345, 12345)
    const { problems, next } = (await known(home)) as { problems: { code: string }[]; next: unknown[] }
    expect(problems.map(({ code }) => code)).toEqual(['FILE_UNTRUSTED'])
    expect(next).toEqual([])
    rmSync(home.file('.'), { recursive: true })
  })
})
