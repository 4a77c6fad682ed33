import { describe, expect, test } from 'vitest'
import { imports, loadedWith, sourceFiles, sourceOf, type Import } from '../fixtures/product/source.ts'

/**
 * Each folder of src/, and what it may import; `hub/` stands for that folder and all below it. Top to bottom:
 * an entry names only what stands further down.
 */
const ARROWS: Record<string, readonly string[]> = {
  'start.ts': [
    'cli/completion',
    'cli/argv',
    'cli/plugins',
    'cli',
    'agent',
    'hub',
    'plugins',
    'runtime',
    'files',
  ],
  commands: [
    'cli/',
    'platforms/selection',
    'tasks/machine',
    'tasks/hub',
    'tasks/reaches',
    'tasks',
    'agent',
    'reach',
    'ssh',
    'doctor/bundle',
    'hub/',
    'hub-client',
    'tunnel/protocol',
    'platforms/selection',
    'plugins',
    'kept',
    'program',
    'control',
    'log/',
    'net',
    'process',
    'runtime',
    'config/hub',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  library: [
    'tasks',
    'platforms/selection',
    'agent',
    'reach',
    'hub-client/link',
    'hub-client',
    'control',
    'control/presence',
    'tunnel/protocol',
    'log',
    'config',
    'error-codes.ts',
    'errors.ts',
  ],
  hooks: [
    'cli/argv',
    'cli/plugins',
    'cli',
    'platforms/selection',
    'platforms',
    'plugins',
    'config/hub',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  'cli/completion': [
    'cli/completion/shells',
    'ssh',
    'hub/control',
    'plugins',
    'control',
    'config/hub',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  'cli/completion/shells': ['text'],
  'cli/argv': ['cli', 'config', 'errors.ts'],
  'cli/hub': [
    'cli',
    'hub',
    'hub/tls',
    'hub/store',
    'hub/control',
    'control',
    'tunnel/protocol',
    'config/hub',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  'cli/login': [
    'hub-client',
    'tunnel/protocol',
    'config/proxy',
    'config',
    'files',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'cli/kept': [
    'cli/output',
    'cli/plugins',
    'cli',
    'tasks/machine',
    'tasks/hub',
    'tasks/steps',
    'tasks',
    'platforms/selection',
    'plugins',
    'log/',
    'control',
    'process',
    'config/hub',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  cli: [
    'cli/format',
    'cli/output',
    'cli/plugins',
    'tasks/machine',
    'tasks',
    'platforms/selection',
    'platforms',
    'plugins',
    'log',
    'runtime',
    'config',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'cli/doctor': ['cli/output', 'doctor/checks', 'doctor/bundle', 'doctor', 'text'],
  'cli/format/status': [
    'cli/format',
    'tasks/machine',
    'tasks/hub',
    'tasks',
    'hub/control',
    'control',
    'config',
    'text',
  ],
  'cli/format': ['tasks/machine', 'tasks/hub', 'tasks/reaches', 'tasks', 'process', 'config', 'text'],
  'cli/output': ['errors.ts'],
  'cli/plugins': [
    'platforms/selection',
    'platforms/plugin',
    'platforms',
    'plugins',
    'runtime',
    'config/hub',
    'config',
    'text',
    'errors.ts',
  ],
  'doctor/checks': [
    'doctor/checks/files',
    'doctor/checks/machine',
    'doctor/checks/daemon',
    'doctor/checks/network',
    'doctor/checks/hub',
    'doctor/checks/services',
    'doctor/checks/hub-here',
    'doctor',
  ],
  'doctor/checks/daemon': [
    'doctor',
    'doctor/way',
    'tasks/machine',
    'tasks',
    'platforms',
    'plugins',
    'control',
    'log/',
    'files',
    'text',
    'errors.ts',
  ],
  'doctor/checks/files': [
    'doctor',
    'doctor/way',
    'control',
    'config/hub',
    'config',
    'files/',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'doctor/checks/machine': ['doctor', 'control', 'runtime', 'files', 'text', 'errors.ts'],
  'doctor/checks/network': [
    'doctor',
    'doctor/way',
    'tasks/machine',
    'hub-client',
    'config/hub',
    'config/proxy',
    'config',
    'text',
    'errors.ts',
  ],
  'doctor/checks/hub': [
    'doctor',
    'doctor/way',
    'control',
    'tunnel/protocol',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'doctor/checks/services': [
    'doctor',
    'doctor/way',
    'tasks/reaches',
    'agent',
    'control',
    'tunnel/protocol',
    'process',
    'runtime',
    'config',
    'text',
    'errors.ts',
  ],
  'doctor/checks/hub-here': [
    'doctor',
    'doctor/way',
    'tasks/machine',
    'hub/backup',
    'hub/control',
    'control',
    'process',
    'config/hub',
    'config',
    'text',
  ],
  'doctor/bundle': [
    'doctor',
    'hub/control',
    'platforms',
    'control',
    'log/',
    'runtime',
    'config',
    'files/',
    'text',
    'errors.ts',
  ],
  doctor: [
    'doctor/way',
    'tasks/machine',
    'tasks',
    'hub/control',
    'hub/backup',
    'platforms/selection',
    'platforms',
    'control',
    'log/',
    'runtime',
    'config/hub',
    'config',
    'text',
    'errors.ts',
  ],
  'doctor/way': [
    'hub-client/tls',
    'hub-client',
    'tunnel/protocol',
    'net',
    'runtime',
    'config/proxy',
    'config',
    'errors.ts',
  ],
  'tasks/machine': [
    'tasks/hub',
    'tasks/reaches',
    'hub-client',
    'platforms/selection',
    'platforms',
    'control',
    'net',
    'runtime',
    'config/hub',
    'config',
    'error-codes.ts',
    'errors.ts',
  ],
  'tasks/hub': [
    'tasks/steps',
    'tasks',
    'platforms/selection',
    'hub/control',
    'hub/tls',
    'hub/store',
    'hub-client',
    'platforms',
    'control',
    'tunnel/protocol',
    'runtime',
    'config/hub',
    'config/proxy',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  tasks: [
    'tasks/reaches',
    'tasks/locks',
    'tasks/steps',
    'platforms/selection',
    'platforms/background',
    'platforms',
    'control',
    'program',
    'log/',
    'process',
    'runtime',
    'config/proxy',
    'config',
    'files/',
    'text',
    'errors.ts',
  ],
  'tasks/reaches': [
    'tasks/locks',
    'reach',
    'hub-client',
    'control',
    'control/presence',
    'process',
    'config',
    'errors.ts',
  ],
  'tasks/steps': [
    'platforms/background',
    'platforms',
    'control',
    'program',
    'log/',
    'process',
    'config',
    'files/',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'tasks/locks': ['control', 'config', 'files/', 'runtime', 'text', 'errors.ts'],
  'platforms/selection': [
    'platforms/plugin',
    'platforms/launchd',
    'platforms/systemd',
    'platforms/background',
    'platforms',
    'plugins',
    'runtime',
    'config',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'platforms/conformance': ['platforms/conformance/checks', 'platforms/conformance/harness', 'errors.ts'],
  'platforms/conformance/checks': [
    'platforms/conformance/harness',
    'platforms',
    'process',
    'config',
    'errors.ts',
  ],
  'platforms/conformance/harness': [
    'platforms/plugin',
    'platforms',
    'control',
    'process',
    'runtime',
    'config/hub',
    'config',
    'errors.ts',
  ],
  'platforms/plugin': [
    'platforms',
    'control',
    'process',
    'runtime',
    'config',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'platforms/launchd': [
    'platforms/launchd/manager',
    'platforms',
    'control',
    'process',
    'runtime',
    'config',
    'files/',
    'text',
    'errors.ts',
  ],
  'platforms/launchd/manager': ['platforms', 'process', 'runtime', 'config', 'files', 'text', 'errors.ts'],
  'platforms/systemd': [
    'platforms/systemd/manager',
    'platforms',
    'control',
    'process',
    'runtime',
    'config',
    'files/',
    'text',
    'errors.ts',
  ],
  'platforms/systemd/manager': ['platforms', 'process', 'runtime', 'config', 'files', 'text', 'errors.ts'],
  'platforms/background': [
    'platforms',
    'control',
    'process',
    'runtime',
    'config',
    'files/',
    'text',
    'errors.ts',
  ],
  platforms: ['control', 'process', 'runtime', 'config', 'files/', 'text', 'errors.ts'],
  agent: [
    'reach',
    'hub-client/link',
    'hub-client',
    'kept',
    'control',
    'control/presence',
    'tunnel/stream',
    'tunnel/bounds',
    'tunnel/protocol',
    'log',
    'net/local',
    'net',
    'runtime',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  reach: [
    'hub-client/link',
    'hub-client',
    'control',
    'control/presence',
    'tunnel/stream',
    'tunnel/bounds',
    'tunnel/protocol',
    'log',
    'net/local',
    'net',
    'runtime',
    'config',
    'files',
    'text',
    'errors.ts',
  ],
  hub: [
    'hub/http',
    'hub/links',
    'hub/auth',
    'hub/registry',
    'hub/store',
    'hub/tls',
    'hub/control',
    'kept',
    'control',
    'tunnel/protocol',
    'websocket',
    'log',
    'net',
    'process',
    'runtime',
    'config/hub',
    'config',
    'files',
    'errors.ts',
  ],
  'hub/backup': [
    'hub/store',
    'hub/tls',
    'tunnel/protocol',
    'control',
    'config/hub',
    'config',
    'runtime',
    'files/',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'hub/http': [
    'hub/links',
    'hub/auth',
    'hub/registry',
    'hub/store',
    'tunnel/link',
    'tunnel/bounds',
    'tunnel/protocol',
    'websocket',
    'log',
    'net',
    'runtime',
    'errors.ts',
  ],
  'hub/control': [
    'hub/tls',
    'hub/store',
    'control',
    'control/presence',
    'net/local',
    'runtime',
    'config',
    'errors.ts',
  ],
  'hub/links': [
    'hub/auth',
    'hub/switch',
    'hub/registry',
    'hub/store',
    'tunnel/link',
    'tunnel/bounds',
    'tunnel/protocol',
    'log',
    'text',
    'errors.ts',
  ],
  'hub/auth': ['hub/registry', 'hub/store', 'tunnel/bounds', 'tunnel/protocol', 'errors.ts'],
  'hub/switch': [
    'tunnel/stream',
    'tunnel/link',
    'tunnel/bounds',
    'tunnel/protocol',
    'runtime',
    'memory',
    'errors.ts',
  ],
  'hub/registry': ['hub/store', 'errors.ts'],
  'hub/store': ['tunnel/protocol', 'files/', 'text', 'error-codes.ts', 'errors.ts'],
  'hub/tls': ['net', 'files/', 'text', 'errors.ts'],
  'hub-client/link': [
    'hub-client',
    'tunnel/stream',
    'tunnel/link',
    'tunnel/protocol',
    'log',
    'runtime',
    'config',
    'fatal-errors.ts',
    'errors.ts',
  ],
  'hub-client': [
    'hub-client/tls',
    'control',
    'tunnel/link',
    'tunnel/protocol',
    'websocket',
    'net',
    'config/proxy',
    'config',
    'files/',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'hub-client/tls': ['tunnel/protocol', 'config', 'net', 'errors.ts'],
  ssh: ['config', 'text', 'errors.ts'],
  kept: [
    'control',
    'log/',
    'process',
    'runtime',
    'config',
    'files/',
    'text',
    'fatal-errors.ts',
    'error-codes.ts',
    'errors.ts',
  ],
  program: ['files/', 'text', 'error-codes.ts', 'errors.ts'],
  plugins: ['net', 'process', 'runtime', 'files/', 'text', 'errors.ts'],
  control: [
    'control/presence',
    'net/',
    'process',
    'runtime',
    'config',
    'files/',
    'text',
    'error-codes.ts',
    'errors.ts',
  ],
  'control/presence': ['process', 'config', 'files/', 'errors.ts'],
  'tunnel/stream': ['tunnel/link', 'tunnel/bounds', 'tunnel/protocol', 'memory'],
  'tunnel/link': ['tunnel/protocol', 'websocket'],
  'tunnel/bounds': ['tunnel/protocol', 'memory'],
  'tunnel/protocol': ['config', 'text', 'error-codes.ts', 'errors.ts'],
  websocket: ['websocket/frames', 'memory'],
  'websocket/frames': ['memory'],
  memory: [],
  'log/view': ['log/file', 'log', 'text', 'errors.ts'],
  'log/file': ['log', 'files/', 'errors.ts'],
  log: ['runtime', 'text', 'errors.ts'],
  'net/local': ['net', 'config', 'files/', 'errors.ts'],
  net: ['config', 'files/', 'errors.ts'],
  process: ['runtime', 'files/', 'errors.ts'],
  runtime: ['errors.ts'],
  'config/hub': ['config', 'files/', 'text', 'errors.ts'],
  'config/proxy': ['config', 'errors.ts'],
  config: ['files/', 'text', 'error-codes.ts', 'errors.ts'],
  'files/durable': ['files', 'errors.ts'],
  files: ['text', 'error-codes.ts', 'errors.ts'],
  text: ['errors.ts'],
  'fatal-errors.ts': ['error-codes.ts', 'errors.ts'],
  'errors.ts': ['error-codes.ts'],
  'error-codes.ts': [],
}

const ROOMS = Object.keys(ARROWS)

/** Modules that cost start-up or belong to one concern: the only files that may import them, and how. */
const RESERVED: readonly { module: RegExp; files: RegExp; kinds: readonly Import['kind'][] }[] = [
  { module: /^@oclif\/core$/, files: /^src\/(cli|commands)\//, kinds: ['static', 'type'] },
  { module: /^@oclif\/core$/, files: /^src\/start\.ts$/, kinds: ['dynamic', 'type'] },
  { module: /^@oclif\/core$/, files: /^src\/hooks\//, kinds: ['type'] },
  {
    module: /^fastest-levenshtein$/,
    files: /^src\/hooks\/command-not-found\.ts$/,
    kinds: ['dynamic'],
  },
  { module: /^fastest-levenshtein$/, files: /^src\/text\/nearest\.ts$/, kinds: ['static'] },
  {
    module: /\/text\/nearest\.ts$/,
    files: /^src\/(hooks\/command-not-found|hub-client\/find-services|cli\/usage-error)\.ts$/,
    kinds: ['dynamic'],
  },
  {
    module: /^jose(\/|$)/,
    files: /^src\/(hub-client\/credential|hub\/auth\/authenticator)\.ts$/,
    kinds: ['static', 'dynamic', 'type'],
  },
  {
    module: /^listr2$/,
    files: /^src\/(tasks\/steps\/run-steps|cli\/doctor\/watch-checks)\.ts$/,
    kinds: ['dynamic'],
  },
  { module: /^node:child_process$/, files: /^src\/(process|runtime)\//, kinds: ['static', 'dynamic'] },
  { module: /^node:http$/, files: /^src\/net\/http\.ts$/, kinds: ['static', 'dynamic'] },
  { module: /^node:http$/, files: /^src\//, kinds: ['type'] },
  { module: /^node:sqlite$/, files: /^src\/files\/sqlite\.ts$/, kinds: ['dynamic', 'type'] },
  { module: /^node:worker_threads$/, files: /^src\/hub\//, kinds: ['static', 'type'] },
  { module: /^node:worker_threads$/, files: /^src\/cli\/plugins\/comes-back\.ts$/, kinds: ['dynamic'] },
  { module: /^ws$/, files: /^src\/websocket\//, kinds: ['dynamic', 'type'] },
  {
    module: /^@peculiar\//,
    files: /^src\/hub\/tls\/encode-certificate\.ts$/,
    kinds: ['dynamic'],
  },
  { module: /^plist$/, files: /^src\/platforms\/launchd\//, kinds: ['static', 'dynamic', 'type'] },
]

/** What no command may load before it runs, unless it is named here with a reason. */
const HEAVY = [
  '@peculiar/asn1-schema',
  '@peculiar/asn1-x509',
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
  'src/commands/doctor.ts': ['jose'],
  'src/commands/hub/index.ts': ['jose', 'node:worker_threads'],
  'src/commands/login.ts': ['jose'],
  'src/commands/logout.ts': ['jose'],
  'src/commands/reach.ts': ['jose'],
  'src/commands/services.ts': ['jose'],
  'src/commands/up.ts': ['jose'],
}

/** `src/agent/main.ts` is of `agent`, `src/errors.ts` is its own. */
function folderOf(file: string): string {
  return file.split('/')[1]!
}

/** The folder that a file lies in; all commands are one room. */
function roomOf(file: string): string {
  const [, ...names] = file.split('/')
  if (names.length === 1 || names[0] === 'commands') return names[0]!
  return names.slice(0, -1).join('/')
}

/** The rooms that one may import. */
function below(room: string): string[] {
  return (ARROWS[room] ?? []).flatMap((name) =>
    name.endsWith('/') ? ROOMS.filter((one) => `${one}/`.startsWith(name)) : [name],
  )
}

const shown = ({ file, kind, target }: Import) => `${file} → ${target} (${kind})`

test('the sources were found, and their imports', () => {
  expect(sourceFiles.length).toBeGreaterThan(80)
  expect(imports.length).toBeGreaterThan(400)
  expect(new Set(imports.map(({ kind }) => kind))).toEqual(new Set(['dynamic', 'static', 'type']))
})

describe('arrows run down only', () => {
  test('from each room to those that are named for it', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (!target.startsWith('src/') || roomOf(file) === roomOf(target)) return false
      return !below(roomOf(file)).includes(roomOf(target))
    })
    expect(wrong.map(shown)).toEqual([])
  })

  test('the table names each room that there is, and no other', () => {
    expect(ROOMS.toSorted()).toEqual([...new Set(sourceFiles.map(roomOf))].toSorted())
  })

  test('and has no circle', () => {
    const upward = ROOMS.flatMap((from, at) =>
      below(from)
        .filter((to) => ROOMS.indexOf(to) <= at)
        .map((to) => `${from} → ${to}`),
    )
    expect(upward).toEqual([])
  })

  test('no two files know each other, not by their types either', () => {
    const circles: string[] = []
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (done.has(file) || path.includes(file)) return
      for (const { target } of imports.filter((one) => one.file === file)) visit(target, [...path, file])
      done.add(file)
    }
    for (const file of sourceFiles) visit(file, [])
    expect(circles).toEqual([])
  })

  test('agent, reach, hub and platforms do not know each other, but that the agent keeps reaches', () => {
    const apart = ['agent', 'reach', 'hub', 'platforms']
    const wrong = imports.filter(
      ({ file, target }) =>
        !(folderOf(file) === 'agent' && folderOf(target) === 'reach') &&
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
  const writers = sourceFiles.filter((file) => /\b(endProcessRecord|clearStaleRecord)\(/.test(sourceOf(file)))
  expect(writers).toEqual(['src/control/process-end.ts', 'src/control/process-record.ts'])
})

test('the init hook alone loads a platform, and the library, which has no hooks', () => {
  // The suite that proves platforms is none of a command's business.
  const others = sourceFiles.filter((file) => !file.startsWith('src/platforms/conformance/'))
  const loads = others.filter((file) => /(description|platform)\.load\(/.test(sourceOf(file)))
  // The one of known-platforms.ts only guards what a plugin's own load() gives.
  expect(loads).toEqual([
    'src/hooks/init.ts',
    'src/library/status-of.ts',
    'src/platforms/selection/known-platforms.ts',
    // An agent that gets another name goes on under that one.
    'src/tasks/give-up-hub-name.ts',
  ])
  const built = /^src\/platforms\/(background|launchd|systemd)\//
  // What was started in the background is ended in one way, whichever platform takes over.
  const takingOver = ({ file, target }: Import) =>
    file === 'src/tasks/steps/take-over.ts' && target === 'src/platforms/background/stop.ts'
  const reached = imports.filter(
    ({ file, target, kind }) =>
      built.test(target) && !target.endsWith('/description.ts') && !built.test(file) && kind !== 'type',
  )
  expect(reached.filter((one) => !takingOver(one)).map(shown)).toEqual([])
})

test.for(sourceFiles.filter((file) => /^src\/(commands|hooks)\/|^src\/start\.ts$/.test(file)))(
  '%s loads nothing heavy before it runs',
  (file) => {
    const all = [...loadedWith(file)]
    const loaded = HEAVY.filter((module) => all.some((one) => `${one}/`.startsWith(`${module}/`)))
    expect(loaded.toSorted()).toEqual(LOADS_HEAVY[file] ?? [])
  },
)

test('only files that may end the process do so, and nothing prints by itself', () => {
  // A library that exits, or prints, does so to everyone who uses it.
  const code = (file: string) => sourceOf(file).replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '')
  const exits = sourceFiles.filter((file) => /process\.(exit|abort|reallyExit)(\(|\.bind)/.test(code(file)))
  expect(exits).toEqual(['src/cli/exit.ts', 'src/cli/login/ask-secretly.ts', 'src/kept/run-kept.ts'])
  expect(sourceFiles.filter((file) => /\bconsole\./.test(code(file)))).toEqual([])
  const writes = sourceFiles.filter((file) => /process\.(stdout|stderr)\.write\(/.test(code(file)))
  // Who can't open its log has nothing else to tell that by.
  expect(writes.filter((file) => !/^src\/(cli|commands|hooks|log\/view)\//.test(file))).toEqual([
    'src/kept/run-kept.ts',
  ])
})

test('a file is named for the one thing that it holds, and passes on nothing of others', () => {
  expect(
    sourceFiles.filter((file) => /\/(utils?|helpers?|common|misc|shared|types|constants)[./]/.test(file)),
  ).toEqual([])
  // The package's entry alone does: what it passes on is what there is to import.
  expect(sourceFiles.filter((file) => /^export (type )?(\*|\{[^}]*\}) from /m.test(sourceOf(file)))).toEqual([
    'src/library/library.ts',
  ])
  const indexes = sourceFiles.filter((file) => file.endsWith('/index.ts'))
  expect(indexes.filter((file) => !file.startsWith('src/commands/'))).toEqual([])
})

test('a folder can be taken in at a glance', () => {
  const counts = new Map<string, number>()
  for (const file of sourceFiles) {
    const folder = file.split('/').slice(0, -1).join('/')
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  const full = [...counts].filter(([, count]) => count > 15)
  expect(full.map(([folder, count]) => `${folder}: ${count}`)).toEqual([])
})

/** What the one manager has and the other has not. */
const ITS_OWN = [
  // The platform itself.
  'launchd.ts',
  'systemd.ts',
  // The program by which the manager is spoken to.
  'manager/launchctl.ts',
  'manager/systemctl.ts',
  // launchd may have a job in several domains, and says little of why it takes none.
  'manager/lookup.ts',
  'manager/bootstrap-error.ts',
  // A user's manager may end with the login.
  'manager/lingering.ts',
]

const platformFiles = (name: string) =>
  sourceFiles
    .filter((file) => file.startsWith(`src/platforms/${name}/`))
    .map((file) => file.slice(`src/platforms/${name}/`.length))

test('launchd and systemd have the same files, so that who knows one knows the other', () => {
  const [launchd, systemd] = [platformFiles('launchd'), platformFiles('systemd')]
  const shared = (files: readonly string[]) => files.filter((file) => !ITS_OWN.includes(file)).toSorted()
  expect(shared(launchd)).toEqual(shared(systemd))
  expect([...launchd, ...systemd]).toEqual(expect.arrayContaining(ITS_OWN))
})

test('background has of these what a plain process needs', () => {
  const own = platformFiles('background').filter((file) => file !== 'background.ts')
  expect(own).toEqual(['description.ts', 'start.ts', 'status.ts', 'stop.ts'])
  expect(platformFiles('systemd')).toEqual(expect.arrayContaining(own))
})
