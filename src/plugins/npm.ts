import { existsSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../errors.ts'
import { describeNetworkError } from '../net/network-error.ts'
import { run, type RunResult } from '../process/run.ts'
import { shellQuote } from '../text/shell-quote.ts'
import type { PluginSource } from './plugin-source.ts'

/** How long npm may take, in ms. */
const TIMEOUT_MS = 120_000

/**
 * No scripts: a package could run anything at once, with all that it depends on, and a plugin needs none. A
 * folder is copied, as a package that was published would be. Private Connect itself, of which a plugin may
 * say that it is made for it, is not fetched. The rest is what an npmrc may have otherwise.
 */
const OPTIONS = [
  '--ignore-scripts',
  '--install-links',
  '--legacy-peer-deps',
  '--omit=dev',
  '--no-global',
  '--location=project',
  '--save',
  '--save-prod',
  '--no-dry-run',
  '--no-package-lock-only',
  '--install-strategy=hoisted',
  '--no-audit',
  '--no-fund',
  '--no-package-lock',
  '--no-progress',
  '--no-update-notifier',
  '--loglevel=error',
  '--json',
]

/** npm waits for minutes by itself: 10 s, then 100 s, before it asks again. */
const PATIENCE = {
  npm_config_fetch_retries: '2',
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '3000',
  npm_config_fetch_timeout: '20000',
}

/** Nobody could answer: npm and git have no terminal. */
const NO_QUESTIONS = { GIT_TERMINAL_PROMPT: '0' }

/**
 * Has the user's npm put a package, and what it depends on, into a folder that has a package.json.
 *
 * @param options.timeoutMs how long npm may take, default TIMEOUT_MS
 * @throws ConnectError NPM_MISSING, PLUGIN_NOT_INSTALLED with npm's reason
 */
export async function npmInstall(
  folder: string,
  source: PluginSource,
  env: NodeJS.ProcessEnv,
  { timeoutMs = TIMEOUT_MS } = {},
): Promise<void> {
  // Beside node there mostly is an npm, and npm itself looks for node on the PATH.
  const PATH = [env.PATH, path.dirname(process.execPath)].filter(Boolean).join(path.delimiter)
  const command = [...npmOn(PATH), 'install', ...OPTIONS, '--', source.spec] as const
  const result = await run(command, {
    cwd: folder,
    env: { ...PATIENCE, ...env, PATH, ...NO_QUESTIONS },
    timeoutMs,
    // git is a child of npm, and so is what it starts.
    ownGroup: true,
  })
  if (result.outcome === 'missing') throw new ConnectError('NPM_MISSING', 'There is no npm on the PATH')
  if (result.outcome === 'timed out') throw tooLate(source, timeoutMs)
  if (result.code !== 0) throw notInstalled(source, result)
}

/** On Windows npm is a script for a shell, which nothing is handed to: what that runs lies beside it. */
function npmOn(searchPath: string): [string, ...string[]] {
  if (process.platform !== 'win32') return ['npm']
  const scripts = searchPath
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'))
  const found = scripts.find((file) => existsSync(file))
  return found === undefined ? ['npm'] : [process.execPath, found]
}

function tooLate({ shown }: PluginSource, timeoutMs: number): ConnectError {
  return new ConnectError('PLUGIN_NOT_INSTALLED', `npm did not get ${shown} within ${timeoutMs / 1000} s`)
}

function notInstalled({ name, tag, shown, spec }: PluginSource, { stdout, stderr }: RunResult): ConnectError {
  const { code, summary } = saidBy(stdout, stderr)
  const fail = (message: string, ...hints: string[]) =>
    new ConnectError('PLUGIN_NOT_INSTALLED', message, hints.length > 0 ? { hints } : {})
  if (code === 'E404' && name !== undefined)
    return fail(
      `There is no package ${name} in npm’s registry`,
      'Check the name. A folder or a tarball is installed by its path: connect plugins install ./FOLDER',
    )
  const isAddress = name === undefined && !spec.startsWith('file:')
  if (code === 'E404' && isAddress) return fail(`There is nothing at ${shown}`, 'Check the address.')
  if (code === 'ENOGIT') return fail(`npm needs git for ${shown}`, 'Install git, and try again.')
  if (isAddress && / git (error|dep)/.test(summary))
    return fail(`git could not get ${shown}`, `Look at what git says itself: ${lsRemote(spec)}`)
  if (isAddress && code !== undefined && OF_NETWORK.test(code))
    return fail(`npm could not reach ${shown}: ${networkWords(code, summary)}`, NPM_SETTINGS)
  if (code === 'ETARGET') return fail(`There is no version ${tag} of ${shown}`, 'Check the version.')
  if (code !== undefined && OF_NETWORK.test(code))
    return fail(`npm could not reach its registry: ${networkWords(code, summary)}`)
  return fail(`npm could not install ${shown}: ${summary}`)
}

const NPM_SETTINGS =
  'A proxy or an authority of your own is told to npm in ~/.npmrc (proxy, cafile), or by NODE_EXTRA_CA_CERTS.'

/** What git alone would do about a repository. */
function lsRemote(spec: string): string {
  const [address = ''] = spec.split('#')
  const plain = address.replace(/^github:/, 'https://github.com/').replace(/^git\+/, '')
  return `git ls-remote ${shellQuote(plain)}`
}

/** Codes that npm passes on from Node.js: names, connections, TLS. */
const OF_NETWORK =
  /^(FETCH_ERROR|EAI_|ECONN|EHOST|ENET|ENOTFOUND|ETIMEDOUT|ERR_SOCKET|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/

function networkWords(code: string, summary: string): string {
  const isLate = code === 'ERR_SOCKET_TIMEOUT' || summary.startsWith('network timeout')
  const known = isLate ? 'ETIMEDOUT' : code
  return describeNetworkError(Object.assign(new Error(summary), { code: known }))
}

/** What npm says with --json; if it comes to that, what it writes for people. */
function saidBy(stdout: string, stderr: string): { code?: string; summary: string } {
  try {
    const { error } = JSON.parse(stdout) as { error: { code?: string | number; summary: string } }
    const [summary = ''] = error.summary.split('\n')
    // git's exit code is one, too.
    return { ...(error.code !== undefined && { code: String(error.code) }), summary }
  } catch {
    const lines = stderr.split('\n').map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim())
    const [, code] = /^code (\S+)$/m.exec(lines.join('\n')) ?? []
    const summary = lines.find((line) => line !== '' && !line.startsWith('code ')) ?? 'it did not say why'
    return { ...(code !== undefined && { code }), summary }
  }
}
