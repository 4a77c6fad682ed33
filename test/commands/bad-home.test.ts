import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { readServices } from '../../src/config/services.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { differences, snapshot } from '../fixtures/snapshot.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'
import { connectWithoutRoot, needsPlainUser } from '../fixtures/machine/without-root.ts'
import { connect, connectOk, type CliResult } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/** Locks hold nothing, and are left for the next command. */
const LOCKS = ['agent.lock', 'daemon.lock']

const NEEDS_CONFIG = [
  'login',
  'whoami',
  'logout',
  'expose 9 --name web',
  'unexpose web',
  'services',
  'reach web --port 0',
  'up --foreground',
  'daemon install',
  'daemon start',
  'daemon restart',
  'daemon status',
]

/** The agent’s own code is 78: only a human can fix it. */
const UNTRUSTED = {
  code: expect.toSatisfy((code) => code === 1 || code === 78),
  stderr: expect.stringMatching(
    /^\[x\] \S+ (?:is not trusted: \S+ on the way to it )?belongs to another user/m,
  ),
}

const NO_PLATFORM = { CONNECT_PLATFORM: 'background' }

async function run(home: Home, line: string, env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const token = { CONNECT_HUB_URL: world.hubUrl, PRIVATECONNECT_TOKEN: `tok_${'0'.repeat(40)}` }
  const needsHub = /^(login|up)/.test(line)
  return connectWithoutRoot(home, line.split(' '), {
    env: { ...NO_PLATFORM, ...(needsHub && token), ...env },
    timeoutMs: 30_000,
  })
}

/** One sentence that says what is wrong, and below it what to do. */
async function fails(home: Home, line: string, sentence: RegExp, env?: NodeJS.ProcessEnv): Promise<void> {
  const { code, stderr } = await run(home, line, env)
  // The agent’s own code for what only a human can fix is 78.
  expect(line.startsWith('up') ? [1, 78] : [1], `${line}: ${stderr}`).toContain(code)
  expect(stderr, line).toMatch(/^\[x\] [^\n]+\n(?: {2}[^\n]+\n)+$/)
  expect(stderr, line).toMatch(sentence)
  expect(stderr, line).not.toMatch(/Unexpected error|bug|^\s+at /m)
}

async function works(home: Home, line: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await run(home, line, env)
  expect({ code, stderr }, line).toEqual({ code: 0, stderr: '' })
  return stdout
}

/** Checks that commands fail or work, and that none of them has lost or changed anything. */
async function holds(
  home: Home,
  state: { failing: readonly string[]; sentence: RegExp; working: readonly string[] },
): Promise<void> {
  const before = snapshot(home.folder)
  // Some at once: there are many, and each of them ends before it does anything.
  for (let next = 0; next < state.failing.length; next += 4) {
    const some = state.failing.slice(next, next + 4)
    await Promise.all(some.map((line) => fails(home, line, state.sentence)))
  }
  for (const line of state.working) await works(home, line)
  expect(differences(before, snapshot(home.folder), LOCKS)).toEqual([])
}

function fifo(file: string): void {
  rmSync(file, { force: true })
  execFileSync('mkfifo', ['-m', '600', file])
}

function folder(file: string): void {
  rmSync(file, { force: true })
  mkdirSync(file)
}

describe('a config that cannot be used stops every command that needs it, and is left as it is:', () => {
  const states: readonly [string, (file: string) => void, RegExp][] = [
    ['one that may not be read', (file) => chmodSync(file, 0), /Could not read \S+config\.json: EACCES/],
    ['one that others can read', (file) => chmodSync(file, 0o644), /config\.json can be read by other users/],
    [
      'a truncated one',
      (file) => writeFileSync(file, readFileSync(file).subarray(0, 100)),
      /config\.json is not/,
    ],
    ['one of a newer version', (file) => writeFileSync(file, '{"version":2}'), /newer version/],
    ['a folder', folder, /config\.json is not a file/],
    ['a FIFO, which is not waited for', fifo, /config\.json is not a file/],
  ]
  testVariations(states)('%s', { timeout: 120_000 }, async ([, spoil, sentence], context) => {
    needsPlainUser(context)
    const home = await joined(world)
    spoil(home.file('config.json'))
    // With nothing to do, a config that can’t be used is not taken for none.
    const nothingToDo = ['daemon stop', 'daemon uninstall', 'daemon logs']
    await holds(home, { failing: [...NEEDS_CONFIG, ...nothingToDo], sentence, working: [] })
  })
})

test('a daemon whose config was damaged can be stopped, and its log be read', async () => {
  const home = await joined(world)
  await works(home, 'daemon start')
  writeFileSync(home.file('config.json'), '{')
  await fails(home, 'daemon restart', /config\.json is not valid JSON/)
  expect(await works(home, 'daemon logs')).toContain('Connected to hub')
  expect(await works(home, 'daemon stop')).toBe('[ok] Daemon stopped\n')
  expect(await works(home, 'daemon logs')).toContain('Stopping: SIGTERM')
  await fails(home, 'daemon stop', /config\.json is not valid JSON/)
})

describe('a list of services that cannot be used is left as it is:', () => {
  const states: readonly [string, (file: string) => void, RegExp][] = [
    ['one that may not be read', (file) => chmodSync(file, 0), /Could not read \S+services\.json: EACCES/],
    ['a truncated one', (file) => writeFileSync(file, '{"version":1,"serv'), /services\.json is not valid/],
    ['one of a newer version', (file) => writeFileSync(file, '{"version":3}'), /newer version/],
    ['a folder', folder, /services\.json is not a file/],
    ['a FIFO', fifo, /services\.json is not a file/],
  ]
  testVariations(states)('%s', { timeout: 120_000 }, async ([, spoil, sentence], context) => {
    needsPlainUser(context)
    const home = await joined(world)
    writeFileSync(home.file('services.json'), '{"version":1,"services":[]}', { mode: 0o600 })
    spoil(home.file('services.json'))
    await holds(home, {
      failing: ['expose 9 --name web', 'unexpose web', 'services', 'daemon status'],
      sentence,
      working: ['login', 'whoami', 'daemon stop', 'daemon uninstall', 'daemon logs'],
    })
    // The agent itself says it, in its log.
    await fails(home, 'daemon start', sentence)
    await fails(home, 'daemon restart', sentence)
    expect(await works(home, 'daemon logs')).toMatch(sentence)
  })

  test('and a login, whose token is spent, is no failure', async () => {
    const home = emptyHome()
    mkdirSync(home.file('.'), { recursive: true, mode: 0o700 })
    writeFileSync(home.file('services.json'), '{')
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    const { code, stdout, stderr } = await run(home, 'login', env)
    expect(code).toBe(0)
    expect(stdout).toContain('[ok] Logged in')
    expect(stderr).toMatch(
      /^\[!\] What is exposed here is not known: .*services\.json is not valid JSON.*\n$/,
    )
  })
})

test('a file cut off at any byte is damaged or whole, never something else', async () => {
  const home = await joined(world)
  const files = [
    ['config.json', readConfig, 'CONFIG_DAMAGED'],
    ['services.json', readServices, 'SERVICES_DAMAGED'],
  ] as const
  writeFileSync(
    home.file('services.json'),
    JSON.stringify({ version: 1, services: [{ name: 'web', host: 'localhost', port: 80 }] }),
  )
  for (const [name, read, code] of files) {
    const other = instanceFor(undefined, scratchFolder())
    const whole = readFileSync(home.file(name))
    mkdirSync(other.folder)
    for (let length = 0; length < whole.toString().trimEnd().length; length++) {
      writeFileSync(path.join(other.folder, name), whole.subarray(0, length), { mode: 0o600 })
      expect(thrownBy(() => read(other)).code, `${name} of ${length} bytes`).toBe(code)
    }
    writeFileSync(path.join(other.folder, name), whole)
    expect(read(other)).toEqual(read(instanceFor(undefined, home.folder)))
  }
})

describe('a log that cannot be written stops what would write it, and nothing else:', () => {
  const states: readonly [string, (file: string) => void, RegExp, readonly string[]][] = [
    [
      'one that may only be read',
      (file) => writeFileSync(file, '', { mode: 0o400 }),
      /EACCES/,
      ['daemon logs'],
    ],
    ['a folder', folder, /EISDIR/, []],
    ['a FIFO that nobody reads', fifo, /ENXIO/, []],
  ]
  testVariations(states)('%s', async ([, spoil, reason, alsoWorking], context) => {
    needsPlainUser(context)
    const home = await joined(world)
    spoil(home.file('daemon.log'))
    await holds(home, {
      failing: ['daemon start', 'daemon restart'],
      sentence: new RegExp(
        `^\\[x\\] Could not open the log ~/\\.privateconnect/daemon\\.log: ${reason.source}`,
      ),
      working: ['daemon status', 'daemon stop', 'whoami', ...alsoWorking],
    })
  })

  testVariations([
    ['a folder', folder],
    ['a FIFO', fifo],
  ] as const)('and %s in its place is no log: logs says so, and does not wait', async ([, spoil]) => {
    const home = await joined(world)
    spoil(home.file('daemon.log'))
    await holds(home, { failing: ['daemon logs'], sentence: /Could not read \S+daemon\.log: /, working: [] })
  })

  test('a restart leaves the daemon that runs', async (context) => {
    needsPlainUser(context)
    const home = await joined(world)
    await works(home, 'daemon start')
    const { pid } = JSON.parse(await works(home, 'daemon status --json')) as { pid: number }
    chmodSync(home.file('daemon.log'), 0o400)
    await fails(home, 'daemon restart', /daemon\.log: EACCES/)
    await fails(home, 'daemon start --replace', /daemon\.log: EACCES/)
    expect(JSON.parse(await works(home, 'daemon status --json'))).toMatchObject({ status: 'running', pid })
    expect(await works(home, 'daemon stop')).toBe('[ok] Daemon stopped\n')
  })
})

describe('a lock file that is none is said to be one that can be removed:', () => {
  const states: readonly [string, (file: string) => void, string][] = [
    ['a folder', folder, 'it is not a file'],
    ['a FIFO', fifo, 'it is not a file'],
    ['another program’s file', (file) => writeFileSync(file, 'x'.repeat(4096)), 'file is not a database'],
  ]
  const advice = '\n  If no agent runs here, remove it: nothing is kept in it.\n$'

  testVariations(states)('the agent’s is %s', async ([, spoil, reason]) => {
    const home = await joined(world)
    spoil(home.file('agent.lock'))
    await holds(home, {
      failing: [
        'expose 9 --name web',
        'logout',
        'up --foreground',
        'daemon start',
        'daemon status',
        'daemon stop',
      ],
      sentence: new RegExp(`^\\[x\\] Could not .*agent\\.lock: ${reason}${advice}`),
      working: ['whoami', 'login', 'daemon logs', 'daemon uninstall'],
    })
  })

  testVariations(states)('the commands’ is %s', async ([, spoil, reason]) => {
    const home = await joined(world)
    await works(home, 'daemon start')
    const { pid } = JSON.parse(await works(home, 'daemon status --json')) as { pid: number }
    rmSync(home.file('daemon.lock'))
    spoil(home.file('daemon.lock'))
    const sentence = new RegExp(
      `^\\[x\\] Could not lock ~/\\.privateconnect/daemon\\.lock: ${reason}${advice}`,
    )
    for (const line of ['daemon start', 'daemon restart']) await fails(home, line, sentence)
    expect(JSON.parse(await works(home, 'daemon status --json'))).toMatchObject({ status: 'running', pid })
    expect(await works(home, 'daemon stop')).toBe('[ok] Daemon stopped\n')
  })
})

testVariations(['agent.json', 'daemon.pid'])('a FIFO in the place of %s is not waited for', async (name) => {
  const home = await joined(world)
  fifo(home.file(name))
  onTestFinished(() => rmSync(home.file(name)))
  await holds(home, {
    failing: ['daemon start', 'daemon status', 'daemon stop'],
    sentence: new RegExp(`^\\[x\\] \\S+${name} is not a file`),
    working: ['daemon logs', 'whoami'],
  })
})
testVariations([
  ['a note of an instance', (home: Home) => home.file('instances/other')],
  [
    'the list of plugins',
    (home: Home) => path.join(home.folder, '.local/share/private-connect/package.json'),
  ],
  [
    'a plugin’s manifest',
    (home: Home) => {
      const root = path.join(home.folder, 'plugin')
      mkdirSync(root, { recursive: true })
      const data = path.join(home.folder, '.local/share/private-connect')
      mkdirSync(data, { recursive: true, mode: 0o700 })
      const listed = { name: 'plugin', type: 'link', root }
      writeFileSync(path.join(data, 'package.json'), JSON.stringify({ oclif: { plugins: [listed] } }))
      return path.join(root, 'oclif.manifest.json')
    },
  ],
  [
    'a plugin’s package.json',
    (home: Home) => {
      const data = path.join(home.folder, '.local/share/private-connect')
      const root = path.join(data, 'node_modules/plugin')
      mkdirSync(root, { recursive: true, mode: 0o700 })
      writeFileSync(path.join(data, 'package.json'), JSON.stringify({ oclif: { plugins: ['plugin'] } }))
      return path.join(root, 'package.json')
    },
  ],
] as const)('a FIFO in the place of %s holds up no command, and no Tab', async ([, fileOf]) => {
  const home = emptyHome()
  const file = fileOf(home)
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  fifo(file)
  for (const line of ['connect da', 'connect daemon status --config ', 'connect daemon install --platform '])
    await connectOk(home, ['__complete', 'bash', line, ' '])
  await connectOk(home, ['daemon', 'status'], { env: { CONNECT_PLATFORM: 'background' } })
})

describe('a home that may not be written to', () => {
  const WRITES = [
    'expose 9 --name web',
    'unexpose web',
    'logout',
    'up --foreground',
    'daemon start',
    'daemon restart',
  ]
  const LOOKS = [
    'whoami',
    'login',
    'services',
    'daemon status',
    'daemon logs',
    'daemon stop',
    'daemon uninstall',
  ]

  function closed(home: Home): void {
    for (const each of [home.folder, home.file('.')]) if (existsSync(each)) chmodSync(each, 0o500)
    onTestFinished(() => {
      for (const each of [home.folder, home.file('.')]) if (existsSync(each)) chmodSync(each, 0o700)
    })
  }

  test('is an error to what writes; what looks, and what has nothing to end, works', async (context) => {
    needsPlainUser(context)
    const home = await joined(world)
    closed(home)
    await holds(home, { failing: WRITES, sentence: /\.lock: EACCES: permission denied/, working: LOOKS })
  })

  test('and holds nothing of ours takes no login, and has nothing to stop', async (context) => {
    needsPlainUser(context)
    const home = emptyHome()
    mkdirSync(home.folder)
    closed(home)
    await holds(home, {
      failing: ['login', 'up'],
      sentence: /^\[x\] Could not use the folder ~\/\.privateconnect: EACCES/,
      working: ['daemon status', 'daemon logs', 'daemon stop', 'daemon uninstall', 'logout'],
    })
  })

  test('does not keep a daemon from being seen and stopped', async (context) => {
    needsPlainUser(context)
    const home = await joined(world)
    await works(home, 'daemon start')
    closed(home)
    expect(await works(home, 'daemon status')).toMatch(/● Status: running[^]*Connection: connected/)
    expect(await works(home, 'daemon stop')).toBe('[ok] Daemon stopped\n')
    expect(await works(home, 'daemon status')).toContain('○ Status: stopped')
  })
})

describe('a home of another user', () => {
  test('is closed to us, and every command says so', { tags: ['variation'] }, async (context) => {
    needsPlainUser(context)
    context.skip(process.getuid?.() !== 0, 'only root can give a folder to another user')
    const home = await joined(world)
    execFileSync('chown', ['-R', '65534', home.folder])
    await holds(home, {
      failing: [...NEEDS_CONFIG, 'daemon stop', 'daemon logs'],
      sentence: /EACCES/,
      working: [],
    })
  })

  test('holds nothing that root believes or writes to, also by --config', async (context) => {
    context.skip(process.getuid?.() !== 0, 'needs root')
    const [home, theirs] = [await joined(world), scratchFolder()]
    const [config, victim] = [path.join(theirs, 'x.json'), path.join(scratchFolder(), 'victim')]
    copyFileSync(home.file('config.json'), config)
    writeFileSync(victim, 'root’s\n', { mode: 0o644 })
    const services = '{"version":1,"services":[{"name":"mine","host":"localhost","port":22}]}'
    writeFileSync(path.join(theirs, 'x.services.json'), services, { mode: 0o600 })
    symlinkSync(victim, path.join(theirs, 'x.daemon.log'))
    const asRoot = (line: string) =>
      connect(home, [...line.split(' '), '--config', config], { env: NO_PLATFORM })
    const lines = ['whoami', 'daemon start', 'up --foreground', 'login']
    // All of it theirs; then their folder, with a config of root's; then a folder for all, with links and a
    // list of theirs.
    execFileSync('chown', ['-hR', '65534', theirs])
    for (const line of lines) expect(await asRoot(line), line).toMatchObject(UNTRUSTED)
    execFileSync('chown', ['0', config])
    for (const line of lines) expect(await asRoot(line), line).toMatchObject(UNTRUSTED)
    execFileSync('chown', ['0', theirs])
    chmodSync(theirs, 0o1777)
    for (const line of ['services', 'up --foreground'])
      expect(await asRoot(line), line).toMatchObject(UNTRUSTED)
    rmSync(path.join(theirs, 'x.services.json'))
    expect(await asRoot('daemon start')).toMatchObject(UNTRUSTED)
    expect(readFileSync(victim, 'utf8')).toBe('root’s\n')
    expect(statSync(victim).mode & 0o777).toBe(0o644)
  })

  test(
    'is left as it is by root, who could write there: a file of root’s would lock the user out',
    { tags: ['variation'] },
    async (context) => {
      context.skip(process.getuid?.() !== 0, 'needs root')
      const home = await joined(world)
      writeFileSync(home.file('services.json'), '{"version":1,"services":[]}', { mode: 0o600 })
      execFileSync('chown', ['-R', '65534', home.folder])
      const before = snapshot(home.folder)
      const asRoot = async (line: string) => {
        const { code, stderr } = await connect(home, line.split(' '), { env: NO_PLATFORM })
        return { code, stderr }
      }
      const lines = [
        'expose 9 --name web',
        'logout',
        'up --foreground',
        'daemon start',
        'daemon status',
        'whoami',
      ]
      for (const line of [...lines, 'daemon uninstall']) {
        expect(await asRoot(line), line).toEqual({
          code: line.startsWith('up') ? 78 : 1,
          stderr: expect.stringMatching(
            /^\[x\] \S+\/config\.json belongs to another user \(number 65534\)\n {2}Run it as that user, without sudo/,
          ),
        })
      }
      expect(differences(before, snapshot(home.folder))).toEqual([])
      rmSync(home.file('config.json'))
      const login = await connect(home, ['login', '--hub', world.hubUrl], {
        env: { PRIVATECONNECT_TOKEN: await world.joinToken() },
      })
      expect(login).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^\[x\] Could not use the folder \S+: it belongs to another user\n {2}\S/,
        ),
      })
    },
  )
})

describe('HOME', () => {
  testVariations([
    ['is a folder in which nothing can be made', '/proc', /mkdir/],
    ['does not exist', '/nonexistent/home', /the home folder \/nonexistent\/home does not exist/],
  ] as const)('%s: no command hangs, and login says so', async ([, HOME, reason], context) => {
    context.skip(process.platform !== 'linux', 'Linux only')
    const home = emptyHome()
    const env = { HOME }
    await fails(home, 'login', /^\[x\] Could not use the folder ~\/\.privateconnect: /, env)
    await fails(home, 'login', reason, env)
    for (const line of ['whoami', 'services', 'daemon start']) await fails(home, line, /not configured/, env)
    for (const line of ['daemon status', 'daemon stop', 'daemon logs', 'logout']) await works(home, line, env)
    expect(existsSync('/nonexistent')).toBe(false)
  })

  test('is a file: one sentence says so', async () => {
    const home = emptyHome()
    for (const line of ['login', 'whoami', 'daemon status', 'daemon logs'])
      await fails(home, line, /ENOTDIR: not a directory/, { HOME: '/dev/null' })
  })

  test.for(['', '.'])('is "%s": the user’s own is meant, not the current folder', async (HOME) => {
    const home = await joined(world)
    const { agentId } = JSON.parse(await works(home, 'whoami --json')) as { agentId: string }
    const ours = path.join(userInfo().homedir, '.privateconnect')
    if (!existsSync(ours)) onTestFinished(() => rmSync(ours, { recursive: true, force: true }))
    const { stdout, stderr } = await connect(home, ['whoami'], { env: { HOME } })
    expect(stdout + stderr).toMatch(/^(\[x\]|Agent ID: )/)
    expect(stdout).not.toContain(agentId)
  })
})

describe('~/.privateconnect', () => {
  test('may be a link to a folder elsewhere', async () => {
    const home = await joined(world)
    const elsewhere = path.join(scratchFolder(), 'elsewhere')
    const ours = home.file('.').replace(/\/+\.?$/, '')
    renameSync(ours, elsewhere)
    symlinkSync(elsewhere, ours)
    expect(await works(home, 'daemon start')).toContain('[ok] Daemon started')
    expect(await works(home, 'daemon status')).toContain('● Status: running')
    expect(await works(home, 'daemon stop')).toBe('[ok] Daemon stopped\n')
    expect(existsSync(path.join(elsewhere, 'daemon.log'))).toBe(true)
  })

  test(
    'that is a file is an error to all that need what lies in it, and stays',
    { tags: ['variation'] },
    async () => {
      const home = emptyHome()
      mkdirSync(home.folder)
      writeFileSync(home.file('.').replace(/\/+\.?$/, ''), 'mine')
      await holds(home, {
        failing: [...NEEDS_CONFIG, 'daemon logs'],
        sentence: /ENOTDIR: not a directory/,
        working: [],
      })
    },
  )
})
