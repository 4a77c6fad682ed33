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
    plugins: [lazyBuiltins, withoutCollation, ascii],
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

/** Two of Node.js's own modules are loaded when oclif needs them, which it seldom does. */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  resolveId: (id) => (/^node:(child_process|readline)$/.test(id) ? `\0${id}` : null),
  load(id) {
    if (!id.startsWith('\0node:')) return null
    const loaded = `process.getBuiltinModule('${id.slice(1)}')`
    const names = Object.keys(process.getBuiltinModule(id.slice(1)) as object)
    return `module.exports = { ${names.map((name) => `get ${name}() { return ${loaded}.${name} }`).join(', ')} }`
  },
}

/** To sort commands by their ids, which are ASCII, oclif loads the rules of all languages: 5 ms. */
const withoutCollation: Plugin = {
  name: 'without-collation',
  transform(code, id) {
    if (!id.endsWith('/@oclif/core/lib/config/plugin.js')) return null
    const sorted = code.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)')
    if (sorted === code) throw new Error(`${id} sorts in another way than it did`)
    return sorted
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
  const folders = modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id) ?? [])
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
