import { describe, expect, test } from 'vitest'
import { imports, loadedWith, sourceFiles, sourceOf, type Import } from '../fixtures/source.ts'

/** Each folder of src/, and what it may import. Top to bottom: whatever is named stands further down. */
const ARROWS: Record<string, readonly string[]> = {
  'start.ts': ['cli', 'agent', 'process', 'files'],
  commands: [
    'cli',
    'tasks',
    'agent',
    'hub',
    'control',
    'log',
    'process',
    'net',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  hooks: ['cli', 'platforms', 'config', 'files'],
  cli: [
    'tasks',
    'platforms',
    'agent',
    'hub',
    'control',
    'log',
    'process',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  tasks: ['platforms', 'control', 'log', 'process', 'config', 'files', 'errors.ts'],
  platforms: ['control', 'process', 'config', 'files', 'errors.ts'],
  agent: ['control', 'tunnel', 'websocket', 'log', 'process', 'net', 'config', 'files', 'errors.ts'],
  hub: ['tunnel', 'websocket', 'log', 'process', 'net', 'config', 'files', 'errors.ts'],
  control: ['process', 'config', 'files', 'errors.ts'],
  tunnel: ['websocket', 'config', 'errors.ts'],
  websocket: [],
  log: ['process', 'config', 'files', 'errors.ts'],
  process: ['config', 'files', 'errors.ts'],
  net: ['config', 'files', 'errors.ts'],
  config: ['files', 'errors.ts'],
  files: ['text', 'errors.ts'],
  text: [],
  'errors.ts': [],
}

/** Modules that cost start-up or belong to one concern: the only files that may import them, and how. */
const RESERVED: readonly { module: RegExp; files: RegExp; kinds: readonly Import['kind'][] }[] = [
  { module: /^@oclif\/core$/, files: /^src\/(cli|commands)\//, kinds: ['static', 'type'] },
  { module: /^@oclif\/core$/, files: /^src\/start\.ts$/, kinds: ['dynamic', 'type'] },
  { module: /^@oclif\/core$/, files: /^src\/hooks\//, kinds: ['type'] },
  { module: /^fastest-levenshtein$/, files: /^src\/hooks\/command-not-found\.ts$/, kinds: ['dynamic'] },
  {
    module: /^jose$/,
    files: /^src\/(agent\/credential|hub\/auth)\.ts$/,
    kinds: ['static', 'dynamic', 'type'],
  },
  { module: /^listr2$/, files: /^src\/tasks\/run-steps\.ts$/, kinds: ['dynamic'] },
  { module: /^node:child_process$/, files: /^src\/process\//, kinds: ['static'] },
  { module: /^node:http$/, files: /^src\/process\/http\.ts$/, kinds: ['static', 'dynamic'] },
  { module: /^node:http$/, files: /^src\//, kinds: ['type'] },
  { module: /^node:sqlite$/, files: /^src\/files\/sqlite\.ts$/, kinds: ['dynamic', 'type'] },
  { module: /^node:worker_threads$/, files: /^src\/(hub|agent)\//, kinds: ['static', 'dynamic', 'type'] },
  { module: /^ws$/, files: /^src\/websocket\//, kinds: ['dynamic', 'type'] },
  { module: /^plist$/, files: /^src\/platforms\/launchd\//, kinds: ['static', 'dynamic', 'type'] },
]

/** What no command may load before it runs, unless it is named here with a reason. */
const HEAVY = [
  'jose',
  'listr2',
  'node:http',
  'node:https',
  'node:sqlite',
  'node:worker_threads',
  'plist',
  'ws',
]
const LOADS_HEAVY: Record<string, readonly string[]> = {
  // These talk to a hub, or are one.
  'src/commands/daemon/install.ts': ['jose'],
  'src/commands/hub/index.ts': ['jose', 'node:worker_threads'],
  'src/commands/login.ts': ['jose'],
  'src/commands/logout.ts': ['jose'],
  'src/commands/reach.ts': ['jose'],
  'src/commands/services.ts': ['jose'],
  'src/commands/up.ts': ['jose'],
}

/** `src/agent/main.ts` is in `agent`, `src/errors.ts` is its own. */
function folderOf(file: string): string {
  return file.split('/')[1]!
}

const shown = ({ file, kind, target }: Import) => `${file} → ${target} (${kind})`

test('the sources were found, and their imports', () => {
  expect(sourceFiles.length).toBeGreaterThan(80)
  expect(imports.length).toBeGreaterThan(400)
  expect(new Set(imports.map(({ kind }) => kind))).toEqual(new Set(['dynamic', 'static', 'type']))
})

describe('arrows run down only', () => {
  test('from each folder to those that are named for it', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith('src/') || folderOf(file) === folderOf(target)) return false
      return !ARROWS[folderOf(file)]?.includes(folderOf(target))
    })
    expect(wrong.map(shown)).toEqual([])
  })

  test('and the table itself has no circle', () => {
    const folders = Object.keys(ARROWS)
    const upward = folders.flatMap((from, at) =>
      ARROWS[from]!.filter((to) => folders.indexOf(to) <= at).map((to) => `${from} → ${to}`),
    )
    expect(upward).toEqual([])
  })

  test('agent, hub and platforms do not know each other', () => {
    const apart = ['agent', 'hub', 'platforms']
    const wrong = imports.filter(
      ({ file, target }) =>
        apart.includes(folderOf(file)) &&
        target.startsWith('src/') &&
        apart.includes(folderOf(target)) &&
        folderOf(file) !== folderOf(target),
    )
    expect(wrong.map(shown)).toEqual([])
  })

  test('no command knows another, but for the default one of a topic', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        folderOf(file) === 'commands' &&
        target.startsWith('src/commands/') &&
        !/\/(index|status)\.ts$/.test(file + target),
    )
    expect(wrong.map(shown)).toEqual([])
  })

  test('only oclif finds commands and hooks', () => {
    const wrong = imports.filter(
      ({ file, target }) => /^src\/(commands|hooks)\//.test(target) && !/^src\/(commands|hooks)\//.test(file),
    )
    expect(wrong.map(shown)).toEqual([])
  })
})

test('a module that is heavy, or one folder’s business, is imported there only', () => {
  const wrong = imports.filter((one) => {
    const rules = RESERVED.filter(({ module }) => module.test(one.target))
    return (
      rules.length > 0 && !rules.some(({ files, kinds }) => files.test(one.file) && kinds.includes(one.kind))
    )
  })
  expect(wrong.map(shown)).toEqual([])
})

test('how an agent ended is written by one file', () => {
  const writers = sourceFiles.filter((file) => /\b(endAgentRecord|clearStaleRecord)\(/.test(sourceOf(file)))
  expect(writers).toEqual(['src/control/agent-end.ts', 'src/process/agent-record.ts'])
})

test('the init hook alone loads a platform', () => {
  // The suite that proves platforms is none of a command's business.
  const others = sourceFiles.filter((file) => !file.startsWith('src/platforms/conformance/'))
  const loads = others.filter((file) => /(description|platform)\.load\(/.test(sourceOf(file)))
  // The second only guards what a plugin's own load() gives.
  expect(loads).toEqual(['src/hooks/init.ts', 'src/platforms/select.ts'])
  const built = /^src\/platforms\/(background|launchd|systemd)\//
  const reached = imports.filter(
    ({ file, target, kind }) =>
      built.test(target) && !target.endsWith('/description.ts') && !built.test(file) && kind !== 'type',
  )
  expect(reached.map(shown)).toEqual([])
})

test.for(sourceFiles.filter((file) => /^src\/(commands|hooks)\/|^src\/start\.ts$/.test(file)))(
  '%s loads nothing heavy before it runs',
  (file) => {
    const loaded = HEAVY.filter((module) => loadedWith(file).has(module))
    expect(loaded.toSorted()).toEqual(LOADS_HEAVY[file] ?? [])
  },
)

test('only files that may end the process do so, and nothing prints by itself', () => {
  // A library that exits, or prints, does so to everyone who uses it.
  const code = (file: string) => sourceOf(file).replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '')
  const exits = sourceFiles.filter((file) => /process\.(exit|abort|reallyExit)\(/.test(code(file)))
  expect(exits).toEqual(['src/agent/main.ts', 'src/cli/join-token.ts', 'src/cli/leave.ts'])
  expect(sourceFiles.filter((file) => /\bconsole\./.test(code(file)))).toEqual([])
  const writes = sourceFiles.filter((file) => /process\.(stdout|stderr)\.write\(/.test(code(file)))
  // An agent that can't open its log has nothing else to tell that by.
  expect(writes.filter((file) => !/^src\/(cli|commands|hooks)\//.test(file))).toEqual(['src/agent/main.ts'])
})

test('a file is named for the one thing that it holds, and passes on nothing of others', () => {
  expect(
    sourceFiles.filter((file) => /\/(utils?|helpers?|common|misc|shared|types|constants)[./]/.test(file)),
  ).toEqual([])
  expect(sourceFiles.filter((file) => /^export (type )?(\*|\{[^}]*\}) from /m.test(sourceOf(file)))).toEqual(
    [],
  )
  const indexes = sourceFiles.filter((file) => file.endsWith('/index.ts'))
  expect(indexes.filter((file) => !file.startsWith('src/commands/'))).toEqual([])
})
