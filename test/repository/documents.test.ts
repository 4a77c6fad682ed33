import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { formatStatus } from '../../src/cli/format/status.ts'
import { ConnectError, ERRORS, LOCAL_PACKAGE, type ErrorCode } from '../../src/errors.ts'
import { isFatal } from '../../src/fatal-errors.ts'
import { welcomePage } from '../../src/hub/http/welcome-page.ts'
import type { DaemonStatus } from '../../src/tasks/status.ts'
import { documentedShapes } from '../fixtures/json-shape.ts'
import { sourceFiles, sourceOf } from '../fixtures/source.ts'
import { root } from '../helpers/cli.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const pages = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`),
]
const { version } = JSON.parse(read('package.json')) as { version: string }

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

test('ARCHITECTURE.md names every code that ends the agent for good', () => {
  const [, section] = /^## Fatal and transient\n([^]*?)^## /m.exec(read('ARCHITECTURE.md'))!
  const fatal = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => isFatal(new ConnectError(code, '')))
  expect(fatal.length).toBeGreaterThan(10)
  expect(fatal.filter((code) => !section!.includes(`\`${code}\``))).toEqual([])
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
      (field) => /^\w+$/.test(field) && !text.includes(`\`${field}\``),
    )
    expect(missing.filter((field) => !text.includes(`\`${field}.`))).toEqual([])
  },
)

/** Of `connect hub token create` the section is `connect hub token`. */
function isOf(title: string, heading: string): boolean {
  const words = heading.replaceAll(/ (?:\[|[A-Z-]).*$/g, '')
  return title === words || (words.startsWith('connect hub ') && title.startsWith(`${words} `))
}

test('every status that a document shows has the lines that a status has, in their order', () => {
  const names = formatStatus(STATUS).flatMap((line) => /^ {2,4}(?:● )?([A-Z][\w ]*): /.exec(line)?.[1] ?? [])
  expect(names.length).toBeGreaterThan(12)
  const shown = pages.flatMap((file) =>
    [...read(file).matchAll(/^📊 .*\n\n((?: {2,}.*\n)+)/gm)].map(([, lines]) => ({ file, lines: lines! })),
  )
  expect(shown.length).toBeGreaterThan(1)
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
  services: [{ name: 'web', host: 'localhost', port: 80 }],
  streams: 0,
  version: '0.1.0',
  installedVersion: '0.1.0',
  drift: [],
  cleanedUpStalePid: false,
  foregroundPid: null,
  foreground: null,
  notes: [],
}
