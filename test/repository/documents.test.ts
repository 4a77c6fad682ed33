import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatStatus } from '../../src/cli/format/status/daemon.ts'
import { ERRORS, LOCAL_PACKAGE, type ErrorCode } from '../../src/error-codes.ts'
import { ConnectError } from '../../src/errors.ts'
import { isFatal } from '../../src/fatal-errors.ts'
import { welcomePage } from '../../src/hub/http/welcome-page.ts'
import type { DaemonStatus } from '../../src/tasks/status.ts'
import { documentedShapes } from '../fixtures/product/json-shape.ts'
import { imports, sourceFiles, sourceOf } from '../fixtures/product/source.ts'
import { root } from '../helpers/cli.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const pages = globSync(['*.md', 'docs/*.md'], { cwd: root }).toSorted()
const { version, engines } = JSON.parse(read('package.json')) as {
  version: string
  engines: { node: string }
}

test('nobody is sent to the public registry, where this package’s name is another project’s', () => {
  const registry =
    /\b(?:npm (?:install|i|add|exec)|npx|pnpm (?:add|dlx)|yarn (?:global )?add)\b[^\n`]* private-connect(?![\w-])/
  const told = [
    ...pages.map((file) => [file, read(file)]),
    ...sourceFiles.map((file) => [file, sourceOf(file)]),
  ]
  expect(told.filter(([, text]) => registry.test(text!)).map(([file]) => file)).toEqual([])
  expect('npm install -g private-connect').toMatch(registry)
  expect(LOCAL_PACKAGE).not.toMatch(registry)
  expect(welcomePage(version)).toContain(`./private-connect-${version}.tgz\n`)
})

test('the tarball that a document names is the one that this version is packed into', () => {
  const named = pages.flatMap((file) => read(file).match(/private-connect-\d[\w.-]*?\.tgz/g) ?? [])
  expect(named.length).toBeGreaterThan(1)
  expect(new Set(named)).toEqual(new Set([`private-connect-${version}.tgz`]))
})

test('who installs the command, or imports the package, is told which Node.js that needs', () => {
  const needed = `${engines.node.replace('>=', '')} or newer`
  for (const file of ['README.md', 'docs/library.md', 'bin/run.js'])
    expect(read(file), file).toContain(needed)
})

test('the README names each thing that reach can do', () => {
  const commands = [...read('README.md').matchAll(/^\| `connect reach (.*)$/gm)].join('\n')
  for (const word of ['--socket', '--stdio', '--keep', '-- PROGRAM']) expect(commands).toContain(word)
})

/** A file or folder in backticks: by its path, by the end of one in src/, or by its name alone. */
const PATH =
  /`((?:src|test|docs|scripts|bench|bin|\.ci|\.github)\/[\w./-]*|[\w./-]+\.(?:ts|mjs|sh)|(?:[\w-]+\/)+)`/g

test('each path of the repository that a document names is there', () => {
  const named = [...pages, ...globSync('bench/results/*.md', { cwd: root })]
    .flatMap((page) => [...read(page).matchAll(PATH)].map(([, name]) => ({ page, name: name! })))
    // There a folder alone is one of the user's.
    .filter(({ page, name }) => page !== 'README.md' || !/^[\w-]+\/$/.test(name))
  expect(named.length).toBeGreaterThan(60)
  const exists = (name: string) =>
    existsSync(path.join(root, name)) || sourceFiles.some((file) => file.includes(`/${name}`))
  expect(named.filter(({ name }) => !exists(name))).toEqual([])
})

/** As GitHub names the anchors of headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading] of text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)) {
    const shown = heading!.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    const slug = shown
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`
    anchors.add(anchor)
  }
  return anchors
}

test('each link from document to document leads to a file, and to a heading of it', () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([link, to, anchor]) => ({
      page,
      link,
      file: to ? path.join(path.dirname(page), to) : page,
      anchor,
    })),
  )
  expect(links.length).toBeGreaterThan(60)
  const leads = ({ file, anchor }: (typeof links)[number]) =>
    existsSync(path.join(root, file)) && (anchor === undefined || anchorsOf(read(file)).has(anchor))
  expect(links.filter((link) => !leads(link)).map(({ page, link }) => `${page}: ${link}`)).toEqual([])
})

describe('the map in ARCHITECTURE.md', () => {
  const architecture = read('ARCHITECTURE.md')

  test('lists each folder of src/, and folders in it that are there', () => {
    const [, list] = /^## Folders\n\n```\n([^]*?)^```/m.exec(architecture)!
    const entries = [...list!.matchAll(/^src\/([\w-]+)\/([^]*?)(?=^\w|$(?![^]))/gm)]
    const folders = readdirSync(path.join(root, 'src')).filter((name) => !name.includes('.'))
    expect(new Set(entries.map(([, folder]) => folder))).toEqual(new Set(folders))
    const inner = entries.flatMap(([, folder, text]) =>
      [...text!.matchAll(/[\w-]+\//g)].map(([name]) => `src/${folder}/${name}`),
    )
    expect(inner.length).toBeGreaterThan(20)
    expect(inner.filter((name) => !existsSync(path.join(root, name)))).toEqual([])
  })

  test('draws an arrow, or several in a row, for each import between folders, and no other arrow', () => {
    const [, picture] = /^Arrows of import[^]*?```mermaid\n([^]*?)^```/m.exec(architecture)!
    const drawn = picture!.matchAll(/^ {2}(?<from>\S+) --> (?<to>\S+)$/gm)
    const arrows = [...drawn].map(({ groups }) => ({ from: groups!.from!, to: groups!.to! }))
    const below = (folder: string): string[] =>
      arrows.filter(({ from }) => from === folder).flatMap(({ to }) => [to, ...below(to)])
    const between = imports.flatMap(({ file, target }) => {
      const [, from, to] = /^src\/([\w-]+)\/.* src\/([\w-]+)\//.exec(`${file} ${target}`) ?? []
      return from !== to ? [{ from: from!, to: to! }] : []
    })
    expect(between.filter(({ from, to }) => !below(from).includes(to))).toEqual([])
    expect(between).toEqual(expect.arrayContaining(arrows))
  })
})

test('ARCHITECTURE.md names every code that ends the agent for good', () => {
  const [, section] = /^## Fatal and transient\n([^]*?)^## /m.exec(read('ARCHITECTURE.md'))!
  const fatal = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => isFatal(new ConnectError(code, '')))
  expect(fatal.length).toBeGreaterThan(10)
  expect(fatal.filter((code) => !section!.includes(`\`${code}\``))).toEqual([])
})

test('the walk through a stop comes back to no file', () => {
  const [, section] = /^## Life of `connect daemon stop`\n([^]*?)^## /m.exec(read('ARCHITECTURE.md'))!
  const walk = [...section!.matchAll(/^\d+\. `([\w/-]+\.ts)`/gm)].map(([, file]) => `src/${file}`)
  expect(walk.length).toBeGreaterThan(10)
  expect(walk.filter((file, at) => !sourceFiles.includes(file) || walk.indexOf(file) !== at)).toEqual([])
})

test.for([...documentedShapes()].filter(([title]) => title !== 'Errors'))(
  'docs/commands.md names every field that %s prints with --json',
  ([title, { fields }]) => {
    const sections = read('docs/commands.md').split(/^### /m)
    const own = sections.find((section) =>
      section
        .split('\n', 1)[0]!
        .split(', ')
        .some((head) => isOf(title, head)),
    )
    const text = /JSON: as start/.test(own ?? '')
      ? sections.find((section) => section.startsWith('connect daemon start'))!
      : own!
    if (text.includes(`json.md#${title.replaceAll(' ', '-')}`)) return
    const missing = [...fields.keys()].filter(
      (field) => /^\w+$/.test(field) && field !== 'warnings' && !text.includes(`\`${field}\``),
    )
    expect(missing.filter((field) => !text.includes(`\`${field}.`))).toEqual([])
  },
)

/** Of `connect hub token create` the section is `connect hub token`. */
function isOf(title: string, heading: string): boolean {
  const words = heading.replaceAll(/ (?:\[|[A-Z-]).*$/g, '')
  const command = title.replace(/ (?:--|without ).*/, '')
  return command === words || (words.startsWith('connect hub ') && title.startsWith(`${words} `))
}

test('every status that a document shows has the lines that a status has, in their order', () => {
  const names = formatStatus(STATUS).flatMap((line) => /^ {2,4}(?:● )?([A-Z][\w ]*): /.exec(line)?.[1] ?? [])
  expect(names.length).toBeGreaterThan(12)
  const shown = pages.flatMap((file) =>
    [...read(file).matchAll(/^📊 .*\n\n((?: {2,}.*\n)+)/gm)].map(([, lines]) => ({ file, lines: lines! })),
  )
  expect(shown.length).toBeGreaterThan(0)
  for (const { file, lines } of shown) {
    const found = [...lines.matchAll(/^ {2,4}(?:● )?([A-Z][\w ]*): /gm)].map(([, name]) => name!)
    expect(found, file).toEqual(names.filter((name) => found.includes(name)))
    expect(found, file).toEqual(expect.arrayContaining(['Autostart', 'Version']))
    expect(lines, file).toMatch(/Running since: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n/)
  }
})

/** One that has all there is to show. */
const STATUS: DaemonStatus = {
  status: 'running',
  reason: null,
  configured: true,
  pid: 1,
  installed: true,
  platform: 'linux',
  agentId: 'agent_0',
  label: 'a',
  hub: 'https://hub.example.com',
  proxy: 'http://proxy.example.com',
  ca: '/ca.pem',
  manager: { name: 'systemd', summary: 'a service' },
  autostart: 'boot',
  startedAt: '2026-11-22T10:30:00.900Z',
  restarts: 1,
  lastExit: { at: null, reason: 'ended by SIGKILL', code: null, signal: 'SIGKILL', fix: null },
  connection: { state: 'connected', since: '2026-11-22T10:30:00.900Z', reason: null },
  unresponsive: false,
  silence: null,
  services: [{ name: 'web', host: 'localhost', port: 80, path: null }],
  reaches: [
    {
      name: 'postgres',
      port: 5432,
      bind: null,
      agent: 'agent_0',
      held: true,
      addresses: ['127.0.0.1', '::1'],
      code: null,
      reason: null,
      holder: null,
      since: '2026-11-22T10:30:00.900Z',
      connections: 1,
      failure: null,
    },
  ],
  streams: 0,
  version: '0.1.0',
  installedVersion: '0.1.0',
  drift: [],
  cleanedUpStalePid: false,
  foregroundPid: null,
  foreground: null,
  notes: [],
}
