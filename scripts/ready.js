// Makes a checkout ready (dependencies, build), then runs its arguments on the pinned Node.
// Plain JavaScript for any Node from 18 on: it is the first thing that runs on a fresh clone.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.js'
import { endLike, run } from './run.js'

process.chdir(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
const node = path.resolve('node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node')
const stampFile = path.join('.cache', 'built')

/** Whether node_modules holds what the lock file says: npm writes its own list of what is there last. */
function isInstalled() {
  const list = path.join('node_modules', '.package-lock.json')
  if (!existsSync(list) || !existsSync(node)) return false
  const packagesIn = (file) => JSON.parse(readFileSync(file, 'utf8')).packages
  const installed = packagesIn(list)
  return Object.entries(packagesIn('package-lock.json')).every(([folder, wanted]) => {
    // Optional packages are there or not, by platform; '' is this package itself.
    if (folder === '' || wanted.optional || wanted.devOptional) return true
    return installed[folder]?.version === wanted.version && existsSync(folder)
  })
}

/** @returns what went wrong, if anything */
async function install() {
  console.error('Installing the dependencies (once) …')
  // Windows has npm as a script that only a shell can start; npm itself tells where its own code lies.
  const { npm_execpath: npm = '' } = process.env
  const program = path.basename(npm) === 'npm-cli.js' ? [process.execPath, npm] : ['npm']
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  // Behind a company's proxy only the system knows the certificates.
  const env = { NODE_USE_SYSTEM_CA: '1', ...process.env }
  const failure = await mustRun('Installing the dependencies (npm ci)', [...program, ...args], env)
  if (failure || existsSync(node)) return failure
  console.error(
    '[x] The Node.js that the tests run on was not installed: does npm ignore install scripts here?',
  )
  console.error('  Run: npm ci --include=dev --ignore-scripts=false')
  return { code: 1, signal: null }
}

/** What the build is made from. */
function fingerprint() {
  const files = ['src', 'scripts/bundle'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name)),
  )
  const others = ['package-lock.json', 'package.json', 'tsconfig.json', 'scripts/bundle.ts']
  const hash = createHash('sha256')
  for (const file of [...others, ...files.sort()]) hash.update(`${file}\0`).update(readFileSync(file))
  return hash.digest('hex')
}

function isBuilt() {
  return existsSync('dist') && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint()
}

/** @returns what went wrong, if anything */
async function build() {
  const stamp = fingerprint()
  const [fresh, old] = ['new', 'old'].map((name) => path.join('.cache', `dist.${name}`))
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true })
  const tsc = path.join('node_modules', 'typescript', 'bin', 'tsc')
  const failure =
    (await mustRun('The build (tsc)', [node, tsc, '--outDir', fresh])) ??
    (await mustRun('The build (rolldown)', [node, path.join('scripts', 'bundle.ts'), fresh]))
  if (failure) return failure
  // dist/ is swapped whole: what runs from it finds every file, and one deleted from src/ does not live on.
  if (existsSync('dist')) renameSync('dist', old)
  renameSync(fresh, 'dist')
  rmSync(old, { recursive: true, force: true })
  writeFileSync(stampFile, stamp)
  return undefined
}

async function mustRun(title, [command, ...args], env = process.env) {
  // Progress goes to stderr, so that what the wrapped program prints stays alone on stdout.
  const end = await run(command, args, { stdio: ['ignore', 2, 2], env })
  if (end.code === 0) return undefined
  const signal = end.signal ?? end.told
  if (end.code && !signal) console.error(`[x] ${title} failed with exit code ${end.code}: see above`)
  return { code: 1, signal }
}

async function makeReady() {
  const isReady = () => isInstalled() && isBuilt()
  if (isReady()) return undefined
  mkdirSync('.cache', { recursive: true })
  return withLock(path.join('.cache', 'ready.lock'), async () => {
    const failure = isInstalled() ? undefined : await install()
    return failure ?? (isBuilt() ? undefined : await build())
  })
}

const failure = await makeReady().catch((error) => {
  console.error(`[x] Could not make this checkout ready: ${error.message}`)
  return { code: 1, signal: null }
})
const args = process.argv.slice(2)
if (failure) endLike(failure)
else if (args.length > 0) {
  process.env.PATH = path.dirname(node) + path.delimiter + process.env.PATH
  endLike(await run(node, args, { stdio: 'inherit' }))
}
