import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Interfaces } from '@oclif/core'
import { useOclif } from './cli/oclif-copy.ts'
import { orderArguments, type Commands } from './cli/order-arguments.ts'
import { leaveDeletedFolder } from './files/given-path.ts'
import { settleEnvironment } from './files/home.ts'
import { delayMemoryReducer, limitSemiSpace } from './runtime/v8-flags.ts'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** The data commands: they carry other people's connections, and stay. */
const DATA_COMMANDS = new Set(['hub', 'reach', 'up'])

/**
 * The program: the kept-alive agent, or the CLI. Doesn't return the CLI's promise to be awaited: an `await`
 * at the top of bin/run.js would end `connect … | head` with exit code 13.
 */
export function start(typed: readonly string[], options: { development?: boolean } = {}): void {
  try {
    begin(typed, options)
  } catch (error) {
    fail(error)
  }
}

/** Before anyone else could say so. */
function fail(error: unknown): void {
  void import('./cli/fail-at-start.ts').then(({ failAtStart }) => failAtStart(error))
}

function begin(typed: readonly string[], options: { development?: boolean }): void {
  // Of a linked plugin, at each command that loads it: nothing of it is transpiled, and nobody has asked for
  // that.
  process.env.OCLIF_DISABLE_LINKED_ESM_WARNING ??= '1'
  leaveDeletedFolder()
  settleEnvironment(process.env)
  useCompileCache()
  const argv = hasEarlyOption(typed) ? orderArguments(typed, ourCommands()) : typed
  if (DATA_COMMANDS.has(argv[0] ?? '')) {
    limitSemiSpace()
    delayMemoryReducer()
  }
  const pjson = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as PackageJson
  if (process.env.CONNECT_DAEMON === '1' && argv[0] === 'up') {
    import('./agent/main.ts')
      .then(({ runKeptAlive }) => runKeptAlive(argv.slice(1), pjson.version))
      .catch(fail)
    return
  }
  const { development = false } = options
  if (isOurs(argv[0])) pjson.oclif.plugins = []
  // Only --version and --help stand first, and neither runs code of the plugins that we ship.
  if (argv[0] === undefined || argv[0].startsWith('-') || isOurs(argv[0])) useOclif('own')
  import('@oclif/core')
    .then(({ execute }) =>
      execute({
        args: [...argv],
        loadOptions: {
          root,
          pjson: development ? fromSource(pjson) : pjson,
          ignoreManifest: development,
          userPlugins: canEnter(homedir()),
        },
      }),
    )
    .catch(fail)
}

/** Whether an option stands where a command's name may still go on; a name has three words at the most. */
function hasEarlyOption(argv: readonly string[]): boolean {
  return process.env.CONNECT_DAEMON !== '1' && argv.slice(0, 3).some((word) => word.startsWith('-'))
}

function ourCommands(): Commands {
  const text = readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')
  return (JSON.parse(text) as { commands: Commands }).commands
}

/**
 * Whether this is one of our own commands. The plugins we ship (help, plugins, autocomplete) only add
 * commands: ours start a twentieth faster without them. What the user has installed is loaded in any case.
 */
function isOurs(word: string | undefined): boolean {
  const commands = readdirSync(path.join(import.meta.dirname, 'commands'))
  return commands.some((entry) => path.parse(entry).name === word)
}

type PackageJson = Interfaces.PJSON & { version: string }

/** package.json with its oclif paths led to the sources, for bin/dev.js and tests. */
function fromSource<T>(pjson: T): T {
  const text = JSON.stringify(pjson)
    .replaceAll('./dist/', './src/')
    .replaceAll(/(\.\/src\/[^"]*)\.js"/g, '$1.ts"')
  return JSON.parse(text) as T
}

/**
 * In a home that is a file, or closed to this user, oclif would look for plugins and print what goes wrong.
 */
function canEnter(home: string): boolean {
  try {
    return statSync(`${home}/.`, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/**
 * Node's own default lies in /tmp, and is used whoever owns it: ours is private, and only in a home folder
 * that is this user's, not one that sudo has left in HOME. Without a cache everything works, a little slower.
 */
function useCompileCache(): void {
  try {
    const home = homedir()
    const folder = path.join(home, '.privateconnect', 'cache')
    if (statSync(home).uid !== process.getuid?.()) return
    // One by one: with `recursive` it would never return where HOME is /proc.
    for (const part of [path.dirname(folder), folder]) if (!existsSync(part)) mkdirSync(part, { mode: 0o700 })
    enableCompileCache(folder)
  } catch {
    // A read-only home: nothing to tell anyone about.
  }
}
