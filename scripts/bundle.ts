// Makes dist/ from src/ in few files: to find and load each of 250 took a third of a command's time.
// node scripts/bundle.ts FOLDER
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { rolldown, type OutputChunk, type Plugin } from 'rolldown'
import { ascii } from './bundle/ascii.ts'
import { builtins, straight } from './bundle/import-plugins.ts'
import { lazy } from './bundle/lazy.ts'
import { licensesOf } from './bundle/licenses.ts'
import { bundleOclif, OWN_OCLIF } from './bundle/oclif.ts'

process.chdir(path.dirname(import.meta.dirname))

const sources = (...patterns: string[]) =>
  globSync(patterns.map((pattern) => `src/${pattern}.ts`)).map((file) => path.resolve(file))

/** `/…/src/agent/main.ts` is built as `agent/main.js`. */
const builtName = (file: string) =>
  path.relative('src', file).replaceAll(path.sep, '/').replace(/\.ts$/, '.js')

/** What Node.js, oclif or another package finds by its path. */
const ENTRIES = sources(
  'start',
  'library/library',
  '{commands,hooks}/**/*',
  'cli/help',
  '{agent,hub}/main',
  'kept/watchdog-end',
  '**/*-worker',
  'platforms/{platform,*/description,conformance/conformance}',
)

/** What asks where it lies, or is exchanged by its path (test/bench/transports): no other file holds it. */
const PLACED = new Set([
  ...sources('**/*').filter((file) =>
    /import\.meta\.(url|dirname|filename)/.test(readFileSync(file, 'utf8')),
  ),
  ...sources('websocket/transport-over'),
])

/**
 * What is loaded together is one file, with all that it imports: that of every process; what a shell that
 * completes a word may have to wait for, and most other commands load too; that of the daemon's commands,
 * much of which the agent loads too; what of them imports oclif, which the agent must not; that of what tells
 * where this machine stands; and that of what asks whether systemd could keep something, which has how
 * programs of the system are run. What loads a user's plugins is apart: help needs that, and nothing of the
 * daemon.
 */
const GROUPS = ['start', 'local', 'plugins', 'daemon', 'oclif', 'command', 'machine', 'systemd'] as const

const EVERY_PROCESS = sources(
  'start',
  'text/printable',
  'files/read-text',
  'plugins/plugin-problem',
  'cli/plugins/problems-at-load',
)
const LOCAL = sources('cli/completion/{on-machine,on-hub}')
const PLUGINS = sources('cli/plugins/load-plugins')
const DAEMON = sources('commands/daemon/status', 'platforms/{selection/*,background/background}')
const MACHINE = sources('tasks/machine/machine-status', 'cli/plugins/ask-user-plugins')
const SYSTEMD = sources('platforms/systemd/detect')

/** What ws loads, and a link without TLS and compression never uses. */
const OF_WS = /^(https|tls|zlib|querystring)$/

const isPackage = (id: string) =>
  /^[@\w]/.test(id) && !['@oclif/core', 'valibot', 'ws'].includes(id) && !OF_WS.test(id)

/** @returns the modules that are in it */
async function bundleOurs(folder: string): Promise<string[]> {
  const files = new Set([...ENTRIES, ...PLACED])
  const bundle = await rolldown({
    input: Object.fromEntries([...files].map((file) => [builtName(file), file])),
    platform: 'node',
    external: isPackage,
    preserveEntrySignatures: 'allow-extension',
    checks: { ineffectiveDynamicImport: false },
    plugins: [placed, oclif, lazy(OF_WS), grouping, builtins, straight, ascii],
  })
  const { output } = await bundle.write({
    dir: folder,
    entryFileNames: '[name]',
    chunkFileNames: 'chunks/[name]-[hash].js',
    comments: false,
    minifyInternalExports: false,
    codeSplitting: {
      groups: GROUPS.map((name) => ({ name, test: (id) => groupOf.get(id) === name })),
    },
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
      import { oclifCopy } from ${JSON.stringify(path.resolve('src/cli/oclif-copy.ts'))}
      const require = createRequire(import.meta.url)
      const copy = oclifCopy() === 'own' ? '../${OWN_OCLIF}' : '@oclif/core'
      export const { ${names.join(', ')} } = require(copy)`
  },
}

/** Which group a module is in, once it is known what imports what. */
const groupOf = new Map<string, (typeof GROUPS)[number]>()

const grouping: Plugin = {
  name: 'grouping',
  buildEnd() {
    const importedBy = (id: string) => this.getModuleInfo(id)?.importedIds ?? []
    const withImports = (ids: readonly string[], seen = new Set<string>()): Set<string> => {
      for (const id of ids) if (!seen.has(id)) withImports(importedBy(id), seen.add(id))
      return seen
    }
    for (const id of withImports(EVERY_PROCESS)) groupOf.set(id, 'start')
    for (const id of withImports(LOCAL)) if (!groupOf.has(id)) groupOf.set(id, 'local')
    const needsOclif = (id: string) => withImports([id]).has('\0oclif')
    for (const id of withImports(PLUGINS)) if (!groupOf.has(id) && !needsOclif(id)) groupOf.set(id, 'plugins')
    for (const id of withImports(DAEMON)) {
      if (groupOf.has(id)) continue
      groupOf.set(id, id === '\0oclif' ? 'oclif' : needsOclif(id) ? 'command' : 'daemon')
    }
    for (const id of withImports(MACHINE)) if (!groupOf.has(id)) groupOf.set(id, 'machine')
    for (const id of withImports(SYSTEMD)) if (!groupOf.has(id)) groupOf.set(id, 'systemd')
    for (const file of PLACED) groupOf.delete(file)
  },
}

const [, , folder = 'dist'] = process.argv
const modules = await Promise.all([bundleOurs(folder), bundleOclif(folder)])
writeFileSync(path.join(folder, 'LICENSES'), licensesOf(modules.flat()))
