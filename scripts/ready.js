// Makes a checkout ready (dependencies, build), then runs its arguments on the pinned Node.
// Plain JavaScript for any Node from 18 on: it is the first thing that runs on a fresh clone.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const pinnedNode = path.join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
)

function fingerprint(entries) {
  const hash = createHash('sha256')
  for (const entry of entries)
    hash
      .update(entry)
      .update('\0')
      .update(readFileSync(path.join(root, entry)))
  return hash.digest('hex')
}

function filesIn(folder) {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

/** Runs `make` unless the stamp says that it was done for exactly these inputs. */
function once(stamp, inputs, make) {
  const file = path.join(root, stamp)
  const wanted = fingerprint(inputs)
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) return
  make()
  writeFileSync(file, wanted)
}

function must(command, args) {
  // Progress goes to stderr, so that what the wrapped program prints stays alone on stdout.
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status === 0) return
  console.error(`[x] ${[command, ...args].join(' ')}: ${error?.message ?? signal ?? `exit code ${status}`}`)
  process.exit(1)
}

once('node_modules/.ready', ['package.json', 'package-lock.json'], () => {
  console.error('Installing dependencies (once) …')
  // Windows has npm as a script that only a shell can start; npm tells its own path instead.
  const npm = process.env.npm_execpath
  if (npm) must(process.execPath, [npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'])
  else must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
})

once('dist/.ready', ['package.json', 'package-lock.json', 'tsconfig.json', ...filesIn('src')], () => {
  must(pinnedNode, [path.join(root, 'scripts', 'build.js')])
})

const args = process.argv.slice(2)
if (args.length > 0) {
  const env = { ...process.env, PATH: path.dirname(pinnedNode) + path.delimiter + process.env.PATH }
  const child = spawn(pinnedNode, args, { cwd: root, stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}
