import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Interfaces } from '@oclif/core'
import { actsByPlatform } from './cli/acts-by-platform.ts'
import { takeForeignWords } from './cli/argv/foreign-words.ts'
import { orderArguments, type Commands } from './cli/argv/order-arguments.ts'
import { refuseSecrets } from './cli/argv/secret-words.ts'
import { useOclif } from './cli/oclif-copy.ts'
import type { Program } from './cli/completion/complete.ts'
import { printVersion } from './cli/print-version.ts'
import { leaveDeletedFolder } from './files/given-path.ts'
import { settleEnvironment } from './files/home.ts'
import { listFile, pluginDataFolder } from './plugins/data-folder.ts'
import { useCompileCache } from './runtime/compile-cache.ts'
import { delayMemoryReducer, limitSemiSpace } from './runtime/v8-flags.ts'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** The data commands: they carry other people's connections, and stay. */
const DATA_COMMANDS = new Set(['hub', 'reach', 'up'])

/**
 * The program: the kept-alive agent or hub, or the CLI. Doesn't return the CLI's promise to be awaited: an
 * `await` at the top of bin/run.js would end `connect … | head` with exit code 13.
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
  const pjson = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as PackageJson
  if (isVersionFlag(typed[0], pjson) && printVersion(pjson)) return
  if (typed[0] === '__complete') {
    useCompileCache(homedir(), pjson.version)
    const { plugins = [], topics = {} } = pjson.oclif
    const program = { root, plugins, topics } as Program
    import('./cli/completion/complete.ts').then((it) => it.answerShell(typed.slice(1), program)).catch(fail)
    return
  }
  const ordered = hasEarlyOption(typed) ? orderArguments(typed, ourCommands()) : typed
  const argv = takeForeignWords(isStatus(ordered) ? ['status', ...ordered] : ordered)
  refuseSecrets(argv)
  // Before the compile cache: V8 takes back only what was compiled with the flags that it has, and so Node.js
  // keeps a cache for each set of them.
  if (DATA_COMMANDS.has(argv[0] ?? '')) {
    limitSemiSpace()
    delayMemoryReducer()
  }
  useCompileCache(homedir(), pjson.version)
  if (process.env.CONNECT_DAEMON === '1' && argv[0] === 'up') {
    import('./agent/main.ts')
      .then(({ runKeptAlive }) => runKeptAlive(argv.slice(1), pjson.version))
      .catch(fail)
    return
  }
  if (process.env.CONNECT_DAEMON === '1' && argv[0] === 'hub' && argv.length === 1) {
    import('./hub/main.ts').then(({ runKeptHub }) => runKeptHub(pjson.version)).catch(fail)
    return
  }
  const { development = false } = options
  const ours = isOurs(argv[0])
  if (ours) pjson.oclif.plugins = []
  // --help runs nothing of the plugins that we ship.
  if (ours || argv[0]?.startsWith('-')) {
    useOclif('own')
    // A file to load, which is for what acts by a platform.
    if (!actsByPlatform(argv)) delete pjson.oclif.hooks?.init
  }
  const loadOptions = {
    root,
    pjson: development ? fromSource(pjson) : pjson,
    ignoreManifest: development,
    userPlugins: false,
  }
  const needsPlugins =
    (!ours || isNoneOfTopic(argv) || actsByPlatform(argv)) &&
    existsSync(listFile(pluginDataFolder(process.env)))
  import('@oclif/core')
    .then(async ({ execute }) => {
      if (!needsPlugins) return execute({ args: [...argv], loadOptions })
      const { withUserPlugins } = await import('./cli/plugins/load-plugins.ts')
      return execute({ args: [...argv], loadOptions: await withUserPlugins(loadOptions, argv[0]) })
    })
    .catch(fail)
}

function isVersionFlag(word: string | undefined, { oclif }: PackageJson): boolean {
  return word !== undefined && ['--version', ...(oclif.additionalVersionFlags ?? [])].includes(word)
}

/** `connect` alone, or with the options of `status`. */
function isStatus([first]: readonly string[]): boolean {
  return first === undefined || /^--(?:config|json)(?:=|$)/.test(first)
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
 * Whether this is one of our own commands, and no plugin adds to it. The plugins we ship (help, plugins) only
 * add commands: ours start a twentieth faster without them.
 */
function isOurs(word: string | undefined): boolean {
  const commands = readdirSync(path.join(import.meta.dirname, 'commands'))
  return word !== 'plugins' && commands.some((entry) => path.parse(entry).name === word)
}

/** Whether a topic of ours is followed by a word that is none of ours: a plugin may bring that command. */
function isNoneOfTopic([topic = '', word = '-']: readonly string[]): boolean {
  const folder = path.join(import.meta.dirname, 'commands', topic)
  if (word.startsWith('-') || !existsSync(folder)) return false
  return !readdirSync(folder).some((entry) => path.parse(entry).name === word)
}

type PackageJson = Interfaces.PJSON & { version: string }

/** package.json with its oclif paths led to the sources, for bin/dev.js and tests. */
function fromSource<T>(pjson: T): T {
  const text = JSON.stringify(pjson)
    .replaceAll('./dist/', './src/')
    .replaceAll(/(\.\/src\/[^"]*)\.js"/g, '$1.ts"')
  return JSON.parse(text) as T
}
