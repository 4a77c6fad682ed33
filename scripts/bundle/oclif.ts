import path from 'node:path'
import { rolldown, type OutputChunk, type Plugin } from 'rolldown'
import { ascii } from './ascii.ts'
import { lazy } from './lazy.ts'

export const OWN_OCLIF = 'oclif.cjs'

/** What oclif seldom needs is loaded when it does. */
const SELDOM_NEEDED = /^(node:(child_process|perf_hooks|readline|fs\/promises)|minimatch|tinyglobby)$/

/** What oclif takes long for to no end, and what does the same. */
const SHORTCUTS: Readonly<Record<string, readonly [long: string, short: string]>> = {
  // Ids are ASCII, and need none of the rules of languages: 5 ms.
  'config/plugin.js': ['a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)'],
  // Names of plugins are seldom patterns: 2 ms.
  'config/plugin-loader.js': [
    '(0, minimatch_1.minimatch)(p, w)',
    '(p === w || (/[*?{[(!]/.test(w) && (0, minimatch_1.minimatch)(p, w)))',
  ],
  // A few small files, one after the other: to start libuv's threads for them takes 2 ms.
  'util/fs.js': ["await (0, promises_1.readFile)(path, 'utf8')", "(0, node_fs_1.readFileSync)(path, 'utf8')"],
  // npm puts a user's plugin beside the package.json that lists it. Node.js would look in many places for its
  // main file, which most plugins don't have: 1 ms each.
  'util/find-root.js': [
    'let pkgPath;',
    `const beside = (0, node_path_1.join)((0, node_path_1.dirname)(root), 'node_modules', name);
    if (root.endsWith('package.json') && (0, fs_1.existsSync)((0, node_path_1.join)(beside, 'package.json'))) return beside;
    let pkgPath;`,
  ],
  // The one thing that wsl-utils passes on, and nothing of what it loads besides.
  'util/os.js': ["(await import('wsl-utils')).isWsl", "(await import('is-wsl')).default"],
}

/** Writes oclif in one file. @returns the modules that are in it */
export async function bundleOclif(folder: string): Promise<string[]> {
  const bundle = await rolldown({
    input: '@oclif/core',
    platform: 'node',
    // The check of Node.js's version is ours, and no plugin is transpiled.
    external: ['semver', 'typescript'],
    plugins: [lazy(SELDOM_NEEDED), shortcuts, ascii],
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

const shortcuts: Plugin = {
  name: 'shortcuts',
  transform(code, id) {
    const [, file = ''] = /@oclif\/core\/lib\/(.+)$/.exec(id.replaceAll(path.sep, '/')) ?? []
    const [long, short] = SHORTCUTS[file] ?? []
    if (long === undefined || short === undefined) return null
    if (!code.includes(long)) throw new Error(`${id} has no "${long}" any more`)
    return code.replace(long, () => short)
  },
}
