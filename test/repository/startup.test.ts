import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { installPlugins } from '../fixtures/machine/installed-plugins.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connectOk, root, runJs, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'

interface Loaded {
  /** From the package's root. */
  readonly files: readonly string[]
  /** Node.js's own modules, the public and the inner ones. */
  readonly builtins: readonly string[]
  /** What was called of that which loads the rules of languages, or of time zones. */
  readonly intl: readonly string[]
}

let world: World
let withAgent: Home
let withoutAgent: Home

beforeAll(async () => {
  world = await World.start()
  ;[withAgent, withoutAgent] = [await world.echoMachine('with'), await world.machine('without')]
  await connectOk(withAgent, ['daemon', 'start'])
})

afterAll(() => world.stop())

function noteLoadedIn(file: string): NodeJS.ProcessEnv {
  const preload = path.join(root, 'test', 'fixtures', 'programs', 'note-loaded.mjs')
  return { NOTE_LOADED: file, NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` }
}

/** Runs a command and tells what it loads. */
async function loadedBy(home: Home, args: readonly string[]): Promise<Loaded & { readonly stdout: string }> {
  const file = path.join(scratchFolder(), 'loaded.json')
  const stdout = await connectOk(home, args, { env: noteLoadedIn(file) })
  const loaded = JSON.parse(readFileSync(file, 'utf8')) as Loaded
  return { ...loaded, files: loaded.files.map((url) => path.relative(root, fileURLToPath(url))), stdout }
}

const isOclif = (file: string) => /^(dist\/oclif\.cjs|node_modules\/@oclif\/core\/lib\/index\.js)$/.test(file)

describe('what is asked in prompts and scripts loads no more than it needs:', () => {
  test.for([
    ['daemon status without an agent', () => withoutAgent, ['daemon', 'status'], 'Status: stopped', 12],
    ['daemon status with one', () => withAgent, ['daemon', 'status'], 'Connection: connected', 12],
    // What can keep a hub here is asked, too; of launchd that takes two files more.
    [
      'status of a new machine',
      emptyHome,
      ['status'],
      'Logged in: no',
      process.platform === 'darwin' ? 14 : 12,
    ],
    ['status with an agent, which asks the hub', () => withAgent, ['status'], ', connected\n', 12],
  ] as const)('%s', async ([, home, args, expected, limit]) => {
    const { files, builtins, intl, stdout } = await loadedBy(home(), args)
    expect(stdout).toContain(expected)
    expect(files.filter((file) => file.startsWith('node_modules'))).toEqual([])
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(limit)
    // The rest is up to a tenth each of what a bare Node.js takes.
    const slow = [
      'crypto',
      'fs/promises',
      'https',
      'inspector',
      'internal/blocklist',
      'perf_hooks',
      'tls',
      'v8',
      'worker_threads',
      'internal/deps/undici/undici',
    ]
    expect(builtins.filter((name) => slow.includes(name))).toEqual([])
    expect(intl).toEqual([])
  })
})

describe('of three plugins a command loads what it needs:', () => {
  const descriptions = ['connect-daemontools/description.js', 'connect-openrc/description.js']

  test.for([
    // What keeps a daemon here, where nothing built in can: the next step depends on it.
    [['status'], descriptions],
    [['whoami', '--help'], []],
    [['--help'], []],
    [['hub', 'status'], descriptions],
    [['daemon', 'status'], descriptions],
  ] as const)('%j', async ([args, expected]) => {
    const home = emptyHome()
    installPlugins(home)
    const { files, stdout } = await loadedBy(home, args)
    const theirs = files.flatMap((file) => /\/private-connect\/node_modules\/(.*)$/.exec(file)?.[1] ?? [])
    expect(theirs.toSorted()).toEqual(expected)
    if (args[0] === '--help') expect(stdout).toMatch(/^ {2}greet +Greet$/m)
  })
})

test.for([
  ['none', 6],
  ['three', 9],
] as const)(
  '--help loads nothing of what commands do: with %s of a user’s plugins',
  async ([plugins, most]) => {
    const home = emptyHome()
    if (plugins === 'three') installPlugins(home)
    const { files, builtins, stdout } = await loadedBy(home, ['--help'])
    expect(stdout).toContain('USAGE')
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(most)
    expect(files.filter((file) => /chunks\/(daemon|command|machine)-/.test(file))).toEqual([])
    expect(builtins.filter((name) => ['fs/promises', 'perf_hooks', 'v8'].includes(name))).toEqual([])
  },
)

test('--version loads next to nothing, and no oclif', async () => {
  const { files, stdout } = await loadedBy(withoutAgent, ['--version'])
  // oclif says it there.
  const [, version] = /^VERSION\n {2}(.+)$/m.exec(await connectOk(withoutAgent, ['--help'])) ?? []
  expect(stdout).toBe(`${version}\n`)
  expect(await connectOk(withoutAgent, ['-v'])).toBe(stdout)
  expect(files.length, files.join('\n')).toBeLessThanOrEqual(3)
})

test('a word is completed without oclif, and without a socket where none has to be asked', async () => {
  const ask = (home: Home, ...words: string[]) => loadedBy(home, ['__complete', 'zsh', 'connect', ...words])
  const word = await ask(withAgent, 'daemon', 'sto')
  const service = await ask(withAgent, 'reach', '')
  const machine = await ask(world.hubHome, 'hub', 'agent', 'revoke', '')
  expect([word.stdout, service.stdout, machine.stdout]).toEqual([
    expect.stringContaining('\nstop\t'),
    expect.stringContaining('\necho\tfrom with'),
    expect.stringContaining('\nagent_'),
  ])
  expect(word.files.length, word.files.join('\n')).toBeLessThanOrEqual(4)
  expect(word.builtins).not.toContain('net')
  const slow = ['http', 'crypto', 'perf_hooks', 'child_process', 'tls', 'v8', 'worker_threads']
  for (const { files, builtins } of [service, machine]) {
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(5)
    expect(builtins.filter((name) => slow.includes(name))).toEqual([])
  }
})

test('a data command loads no TLS, and no compression, for a hub without them', async () => {
  const file = path.join(scratchFolder(), 'loaded.json')
  const reach = startConnect(withAgent, ['reach', 'echo', '--port', '0'], { env: noteLoadedIn(file) })
  await reach.printed(/Connected to hub/)
  await reach.stop('SIGINT')
  const { builtins } = JSON.parse(readFileSync(file, 'utf8')) as Loaded
  expect(builtins).toContain('http')
  expect(builtins.filter((name) => ['tls', 'https', 'zlib'].includes(name))).toEqual([])
})

test('a data command has V8 optimise nothing as it starts', async () => {
  // Not what Node.js itself does to find a program of a long path, which is before our first line.
  const traced = `await import(process.argv[1]); process.getBuiltinModule('v8').setFlagsFromString('--trace-opt')`
  const args = ['--input-type=module', '-e', traced, runJs, 'hub', '--listen', '127.0.0.1:0']
  const hub = runProgram([process.execPath, ...args], { env: withoutAgent.env })
  await hub.printed(/Hub listening/)
  await hub.stop('SIGINT')
  expect(hub.output).not.toContain('[compiling method')
})

test('the agent that is kept alive loads no oclif, and neither does what it starts', () => {
  const seen = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const code = readFileSync(file, 'utf8')
    for (const [, target] of code.matchAll(/^import (?:[^"]* from )?"(\.[^"]+)";$/gm))
      visit(path.resolve(path.dirname(file), target!))
  }
  for (const name of ['start', 'agent/main', 'kept/watchdog-end', 'hub/store/store-worker'])
    visit(path.join(root, 'dist', `${name}.js`))
  expect(seen.size).toBeGreaterThan(10)
  expect([...seen].filter((file) => readFileSync(file, 'utf8').includes('oclif.cjs'))).toEqual([])
})

describe('there is one oclif in a process:', () => {
  test.for([
    [['daemon', 'status'], 'dist/oclif.cjs'],
    [['--help'], 'dist/oclif.cjs'],
    [['hub', 'token', 'list', '--help'], 'dist/oclif.cjs'],
    [['services'], 'dist/oclif.cjs'],
    [['plugins'], 'node_modules/@oclif/core/lib/index.js'],
    [['help', 'daemon'], 'node_modules/@oclif/core/lib/index.js'],
    [['autocomplete', 'bash'], 'dist/oclif.cjs'],
  ] as const)('%j gets %s', async ([args, expected]) => {
    const { files } = await loadedBy(withAgent, args)
    expect([...new Set(files.filter(isOclif))]).toEqual([expected])
  })
})
