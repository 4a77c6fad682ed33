// Makes dist/ from src/ in few files: to find and load each of 250 took a third of a command's time.
// node scripts/bundle.ts FOLDER
import { globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { rolldown, type OutputChunk, type Plugin } from 'rolldown'

process.chdir(path.dirname(import.meta.dirname))

const sources = (...patterns: string[]) =>
  globSync(patterns.map((pattern) => `src/${pattern}.ts`)).map((file) => path.resolve(file))

/** `/…/src/agent/main.ts` is built as `agent/main.js`. */
const builtName = (file: string) => `${path.relative('src', file).slice(0, -'.ts'.length)}.js`

/** What Node.js, oclif or another package finds by its path. */
const ENTRIES = sources(
  'start',
  '{commands,hooks}/**/*',
  'cli/help',
  'agent/main',
  '**/*-worker',
  'platforms/{platform,*/description,conformance/conformance}',
)

/** What asks where it lies, or is exchanged by its path (test/bench/transports): no other file holds it. */
const PLACED = new Set([
  ...sources('**/*').filter((file) => /import\.meta\.(url|dirname)/.test(readFileSync(file, 'utf8'))),
  ...sources('websocket/transport-over'),
])

/**
 * What is loaded together is one file, with all that it imports and no earlier group has: that of every
 * command, oclif, and that of the daemon's.
 */
const GROUPS = {
  start: sources('start'),
  oclif: ['\0oclif'],
  daemon: sources('commands/daemon/status', 'platforms/{selection/*,background/background}'),
}

const OWN_OCLIF = 'oclif.cjs'

const isPackage = (id: string) => /^[@\w]/.test(id) && !['@oclif/core', 'valibot'].includes(id)

async function bundleOurs(folder: string): Promise<string[]> {
  const files = new Set([...ENTRIES, ...PLACED])
  const bundle = await rolldown({
    input: Object.fromEntries([...files].map((file) => [builtName(file), file])),
    platform: 'node',
    external: isPackage,
    preserveEntrySignatures: 'allow-extension',
    checks: { ineffectiveDynamicImport: false },
    plugins: [placed, oclif, builtins, grouping, straight, ascii],
  })
  const { output } = await bundle.write({
    dir: folder,
    entryFileNames: '[name]',
    chunkFileNames: 'chunks/[name]-[hash].js',
    comments: false,
    minifyInternalExports: false,
    codeSplitting: {
      groups: Object.keys(GROUPS).map((name) => ({ name, test: (id) => groupOf.get(id) === name })),
    },
  })
  return output.flatMap((chunk) => Object.keys((chunk as OutputChunk).modules))
}

async function bundleOclif(folder: string): Promise<string[]> {
  const bundle = await rolldown({
    input: '@oclif/core',
    platform: 'node',
    // What it has no need of here: the check of Node.js's version is ours, and no plugin is transpiled.
    external: ['semver', 'typescript'],
    plugins: [lazy, shortcuts, ascii],
  })
  const { output } = await bundle.write({
    file: path.join(folder, OWN_OCLIF),
    format: 'cjs',
    comments: false,
    codeSplitting: false,
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  })
  return output.flatMap((chunk) => Object.keys((chunk as OutputChunk).modules))
}

/** Whoever imports what is placed imports it as a file of its own. */
const placed: Plugin = {
  name: 'placed',
  resolveId(id, importer) {
    if (importer === undefined || !id.startsWith('.')) return null
    const file = path.resolve(path.dirname(importer), id)
    return PLACED.has(file) ? { id: `placed:${builtName(file)}`, external: true } : null
  },
  renderChunk: (code, { fileName }) =>
    code.replaceAll(/"placed:([^"]+)"/g, (_, name: string) => {
      const way = path.posix.relative(path.posix.dirname(fileName), name)
      return JSON.stringify(way.startsWith('.') ? way : `./${way}`)
    }),
}

/**
 * Two copies of oclif in one process would not know each other's classes. So all of ours get it here: the
 * package itself where plugins import it as well, a file of our own everywhere else.
 */
const oclif: Plugin = {
  name: 'oclif',
  resolveId: (id) => (id === '@oclif/core' ? '\0oclif' : null),
  load(id) {
    if (id !== '\0oclif') return null
    const names = Object.keys(createRequire(import.meta.filename)('@oclif/core') as object)
    return `
      import { createRequire } from 'node:module'
      import { oclifCopy } from '${path.resolve('src/cli/oclif-copy.ts')}'
      const require = createRequire(import.meta.url)
      const copy = oclifCopy() === 'own' ? '../${OWN_OCLIF}' : '@oclif/core'
      export const { ${names.join(', ')} } = require(copy)`
  },
}

/**
 * An `import` of Node.js's own modules evaluates all that they export, and so loads what any of that needs:
 * 2 ms for node:fs, 27 for node:http.
 */
const builtins: Plugin = {
  name: 'builtins',
  renderChunk: (code) =>
    code.replaceAll(
      /^import (?:(\w+|\* as \w+)(?:, )?)?(?:(\{[^}]*\}) )?(?: ?from )"(node:[^"]+)";$/gm,
      (_, whole: string | undefined, names: string | undefined, name: string) => {
        const loaded = `process.getBuiltinModule("${name}")`
        const targets = [whole?.replace('* as ', ''), names?.replaceAll(' as ', ': ')]
        return targets.flatMap((target) => (target ? [`const ${target} = ${loaded};`] : [])).join(' ')
      },
    ),
}

/** Which group a module is in, once it is known what imports what. */
const groupOf = new Map<string, string>()

const grouping: Plugin = {
  name: 'grouping',
  buildEnd() {
    for (const [group, roots] of Object.entries(GROUPS)) {
      const visit = (id: string) => {
        if (groupOf.has(id)) return
        groupOf.set(id, group)
        for (const imported of this.getModuleInfo(id)?.importedIds ?? []) visit(imported)
      }
      for (const id of roots) visit(id)
    }
    for (const file of PLACED) groupOf.delete(file)
  },
}

/** What an `import()` takes from a chunk that holds more comes by one that only passes it on: not here. */
const straight: Plugin = {
  name: 'straight',
  generateBundle(_, bundle) {
    const targets = new Map<string, string>()
    for (const [name, chunk] of Object.entries(bundle)) {
      if (chunk.type !== 'chunk' || chunk.isEntry) continue
      const [, target] = /^export \{ (?:(?! as )[^}])+ \} from "\.\/([^"]+)";\s*$/.exec(chunk.code) ?? []
      if (target === undefined) continue
      targets.set(path.posix.basename(name), target)
      delete bundle[name]
    }
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue
      chunk.code = chunk.code.replaceAll(
        /(?<=import\("[^"]*\/)[^"/]+(?="\))/g,
        (name) => targets.get(name) ?? name,
      )
    }
  },
}

/** Loaded when oclif needs it, which it seldom does. */
const LAZY = /^(node:child_process|node:perf_hooks|node:readline|minimatch|tinyglobby)$/

const lazy: Plugin = {
  name: 'lazy',
  async resolveId(id, importer) {
    if (!LAZY.test(id) || importer?.startsWith('\0')) return null
    return `\0${(await this.resolve(id, importer, { skipSelf: true }))?.id}`
  },
  load(id) {
    if (!id.startsWith('\0')) return null
    const name = id.slice(1)
    const names = Object.keys(createRequire(import.meta.filename)(name) as object)
    const getters = names.map((key) => `get ${key}() { return require(${JSON.stringify(name)}).${key} }`)
    return `module.exports = { ${getters.join(', ')} }`
  },
}

/** What oclif takes long for to no end, and what does the same. */
const SHORTCUTS: Readonly<Record<string, readonly [long: string, short: string]>> = {
  // Ids are ASCII, and need none of the rules of languages: 5 ms.
  'config/plugin.js': ['a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)'],
  // Names of plugins are seldom patterns: 2 ms.
  'config/plugin-loader.js': [
    '(0, minimatch_1.minimatch)(p, w)',
    '(p === w || (/[*?{[(!]/.test(w) && (0, minimatch_1.minimatch)(p, w)))',
  ],
  // The one thing that wsl-utils passes on, and nothing of what it loads besides.
  'util/os.js': ["(await import('wsl-utils')).isWsl", "(await import('is-wsl')).default"],
}

const shortcuts: Plugin = {
  name: 'shortcuts',
  transform(code, id) {
    const [, file = ''] = /\/@oclif\/core\/lib\/(.+)$/.exec(id) ?? []
    const [long, short] = SHORTCUTS[file] ?? []
    if (long === undefined || short === undefined) return null
    if (!code.includes(long)) throw new Error(`${id} has no "${long}" any more`)
    return code.replace(long, () => short)
  },
}

/** One character that is not of Latin-1 doubles what V8 reads, and keeps: they are written as escapes. */
const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk') chunk.code = chunk.code.replaceAll(/[^\0-\x7f]/g, escaped)
    }
  },
}

const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

/** The licenses of the packages that modules come from, which want to go with them. */
function licensesOf(modules: readonly string[]): string {
  const folders = modules.flatMap((id) => /^[^\0].*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id) ?? [])
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Package
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file === undefined ? '' : readFileSync(path.join(folder, file), 'utf8').trim()
    return `${name} ${version} (${license})\n\n${text}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

type Package = Readonly<Record<'name' | 'version' | 'license', string>>

const [, , folder = 'dist'] = process.argv
const modules = await Promise.all([bundleOurs(folder), bundleOclif(folder)])
writeFileSync(path.join(folder, 'LICENSES'), licensesOf(modules.flat()))
