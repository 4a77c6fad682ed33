import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProgram } from '../fixtures/run-fixture.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { root, startConnect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

const page = readFileSync(path.join(root, 'docs', 'library.md'), 'utf8')
const examples = [...page.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code]) => code!)

/** Uses all that there is, and tells what that has done to its process. */
const HOST = `
import v8 from 'node:v8'
import { daemonStatus, expose, reach, unexpose } from 'private-connect'

let flags = 0
v8.setFlagsFromString = () => void flags++
const before = new Set(process.eventNames())
await using echo = await reach('echo')
await echo.listen()
for (let i = 0; i < 20; i++) {
  const connection = await echo.connect()
  connection.end(Buffer.alloc(100_000))
  for await (const _ of connection);
}
await expose(1, { name: 'none' })
await unexpose('none')
await daemonStatus()
const events = process.eventNames().filter((name) => !before.has(name))
console.log(JSON.stringify({ flags, events, code: process.exitCode }))
`

/** Compiles if the types are there: each line that is marked is an error. */
const MISUSE = `
import { ConnectError, reach, type Reached } from 'private-connect'
import { platformConformance } from 'private-connect/conformance'
import type { Platform } from 'private-connect/platform'

// @ts-expect-error
await reach(5432)
const one: Reached = await reach('echo')
// @ts-expect-error
one.connect().write('x')
// @ts-expect-error
one.name = 'another'
// @ts-expect-error
console.log(new ConnectError('NO_SUCH_CODE', 'x'))
// @ts-expect-error
platformConformance(5432)
// @ts-expect-error
export const none: Platform = {}
`

let world: World
let client: Home
/** A project of its own, outside the repository, that depends on the package. */
let project: Home

beforeAll(async () => {
  world = await World.start()
  const server = await world.echoMachine()
  client = await world.machine('client')
  const agent = world.keep(startConnect(server, ['up']))
  await agent.printed(/Connected to hub/)

  project = makeHome('project')
  mkdirSync(path.join(project.folder, 'node_modules', '@types'), { recursive: true })
  const link = (name: string, target: string) =>
    symlinkSync(target, path.join(project.folder, 'node_modules', name), 'junction')
  link('private-connect', root)
  link('@types/node', path.join(root, 'node_modules', '@types', 'node'))
  const write = (name: string, text: string) => writeFileSync(path.join(project.folder, name), text)
  write('package.json', '{ "type": "module" }')
  examples.forEach((code, at) => write(`example-${at}.ts`, code))
  write('host.ts', HOST)
  write('misuse.ts', MISUSE)
})
afterAll(async () => {
  project.remove()
  await world.stop()
})

/** Runs an example as the machine that has joined the hub. */
async function run(index: number): Promise<string> {
  return runFile(`example-${index}.ts`)
}

async function runFile(name: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = { ...client.env, ...more }
  const program = runProgram([process.execPath, name], { env, cwd: project.folder })
  expect(await program.exited, program.output).toEqual({ code: 0, signal: null })
  return program.output
}

test('the examples of docs/library.md compile in strict mode, types of libraries included', async () => {
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = [
    '--strict',
    '--noEmit',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--skipLibCheck',
    'false',
  ]
  const lib = ['--lib', 'es2024,esnext.disposable', '--types', 'node']
  const files = ['misuse.ts', ...examples.map((_, at) => `example-${at}.ts`)]
  const program = runProgram([process.execPath, tsc, ...options, ...lib, ...files], { cwd: project.folder })
  expect(await program.exited, program.output).toEqual({ code: 0, signal: null })
})

test('a service is reached by a connection, and it all ends with the block', async () => {
  expect(await run(0)).toBe('hello')
})

test('a service is reached by a local port, until a signal', async () => {
  const output = await run(1)
  expect(output).toContain('by a port of this machine')
  expect(output).toContain('Connected to hub')
})

test('a service is exposed, and taken back', async () => {
  expect(await run(2)).toBe('no agent false\ntrue\n')
})

test('the daemon’s status is told', async () => {
  expect(await run(3)).toBe('stopped no connection\n')
})

test('it changes nothing of its host’s process, prints nothing, and loads neither oclif nor listr2', async () => {
  const preload = path.join(root, 'test', 'fixtures', 'programs', 'note-loaded.mjs')
  const loaded = path.join(project.folder, 'loaded.json')
  const env = { NOTE_LOADED: loaded, NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` }
  const { flags, events, code } = JSON.parse(await runFile('host.ts', env)) as Record<string, unknown>
  expect({ flags, events, code }).toEqual({ flags: 0, events: [], code: undefined })
  const { files } = JSON.parse(readFileSync(loaded, 'utf8')) as { files: string[] }
  expect(files.some((file) => file.endsWith('/library.js'))).toBe(true)
  expect(files.filter((file) => /oclif|listr2/.test(file))).toEqual([])
})

test('CommonJS gets the same by require', async () => {
  const names = `console.log(Object.keys(require('private-connect')).toSorted().join())`
  writeFileSync(path.join(project.folder, 'require.cjs'), names)
  expect(await runFile('require.cjs')).toBe('ConnectError,daemonStatus,expose,reach,unexpose\n')
})

test('to import it loads next to nothing', async () => {
  writeFileSync(
    path.join(project.folder, 'import.ts'),
    `import { reach } from 'private-connect'\nvoid reach\n`,
  )
  const preload = path.join(root, 'test', 'fixtures', 'programs', 'note-loaded.mjs')
  const loaded = path.join(project.folder, 'imported.json')
  await runFile('import.ts', { NOTE_LOADED: loaded, NODE_OPTIONS: `--import=${pathToFileURL(preload).href}` })
  const { files } = JSON.parse(readFileSync(loaded, 'utf8')) as { files: string[] }
  expect(files.filter((file) => file.includes('/dist/')).length, files.join('\n')).toBeLessThanOrEqual(2)
})
