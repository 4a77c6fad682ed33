import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import { freePort } from '../helpers/free-port.ts'
import type { Home } from '../helpers/home.ts'
import { echoed, serveTcp, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

let world: World
let home: Home
let other: TestServer

beforeAll(async () => {
  world = await World.start()
  home = await world.echoMachine()
  other = await serveTcp((socket) => socket.end('other'))
  await connectOk(home, ['expose', String(other.port), '--name', 'other'])
  await connectOk(home, ['daemon', 'start'])
  await connectOk(home, ['daemon', 'status', '--wait', '30s'])
})

afterAll(async () => {
  await world.stop()
  await other.close()
})

test('several services are reached over one link, with a line each in the order that they were named', async () => {
  const port = await freePort()
  const reach = world.keep(startConnect(home, ['reach', 'other', `echo:${port}`]))
  const [, first] = await reach.printed(
    /^\[ok\] other \(from server\) is at localhost:(\d+)\n(?: {2}.*\n)?\[ok\] echo .*:\d+\n {2}Ctrl-C/,
  )
  expect(reach.stdout).toContain(`[ok] echo (from server) is at localhost:${port}\n`)
  await reach.printed(/Connected to hub/)
  expect(await echoed(port, 'hello')).toBe('hello')
  expect(await echoed(Number(first), '')).toBe('other')
  expect(reach.stderr.match(/Registered with hub/g)).toHaveLength(1)
  await reach.stop()
  expect(await reach.exited).toEqual({ code: 0, signal: null })
})

test('a program gets a line of JSON for each', async () => {
  const reach = world.keep(startConnect(home, ['reach', 'echo:0', 'other:0', '--json']))
  await reach.printed(/\n.*\n/)
  const lines = reach.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const addresses = ['127.0.0.1', '::1']
  const rest = {
    label: 'server',
    host: '127.0.0.1',
    port: expect.any(Number),
    addresses,
    because: null,
    socket: null,
    online: true,
    warnings: [],
  }
  expect(lines).toEqual([
    { name: 'echo', ...rest },
    { name: 'other', ...rest },
  ])
})

test('where one port is taken, or one service unknown, none is held', async () => {
  const taken = await serveTcp(() => {})
  onTestFinished(() => taken.close())
  const port = await freePort()
  const refused = await connect(home, ['reach', `echo:${port}`, `other:${taken.port}`])
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain(`[x] Port ${taken.port} of 127.0.0.1 is in use\n`)
  const unknown = await connect(home, ['reach', `echo:${port}`, 'nobody', 'nothing'])
  expect(unknown).toMatchObject({ code: 1, stdout: '' })
  expect(unknown.stderr).toContain('[x] There is no service "nobody" or "nothing"\n')
})

test('several are kept at once, each at its own port', async () => {
  const [first, second] = [await freePort(), await freePort()]
  const kept = await connectOk(home, ['reach', `echo:${first}`, `other:${second}`, '--keep', '--json'])
  const lines = kept
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { reach: object })
  expect(lines.map(({ reach }) => reach)).toMatchObject([
    { name: 'echo', port: first, held: true },
    { name: 'other', port: second, held: true },
  ])
  expect(await echoed(first, 'hello')).toBe('hello')
  for (const name of ['echo', 'other']) await connectOk(home, ['unreach', name])
})

test('where one of several can’t be kept it is said which are', async () => {
  const taken = await serveTcp(() => {})
  onTestFinished(() => taken.close())
  const port = await freePort()
  const words = ['reach', `echo:${port}`, `other:${taken.port}`, '--keep']
  const { code, stderr } = await connect(home, words)
  expect(code).toBe(1)
  expect(stderr).toMatch(/^\[x\] .+ is in use/m)
  expect(stderr).toContain(
    '\n  What came before it holds: echo (kept). To take one back: connect unreach NAME\n',
  )
  expect(await echoed(port, 'hello')).toBe('hello')
  // Nothing has changed now.
  expect((await connect(home, words)).stderr).not.toContain('What came before')
  await connectOk(home, ['unreach', 'echo'])
})

test('a port that was asked for is not taken by a service that may have another', async () => {
  const port = await freePort()
  // On this very machine its own port stays free, and the next one is the first to be tried.
  await connectOk(home, ['expose', String(port - 1), '--name', 'near'])
  const reach = world.keep(startConnect(home, ['reach', 'near', `echo:${port}`]))
  await reach.printed(/Ctrl-C/)
  expect(reach.stdout).toContain(`[ok] echo (from server) is at localhost:${port}\n`)
})

test('what is said twice exits 2', async () => {
  const { code, stdout, stderr } = await connect(home, ['reach', 'echo', 'other', 'echo'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('[x] "echo" is named twice\n  ')
})

test('what only one service can have is asked for once for each', async () => {
  const hintOf = async (...args: string[]) =>
    (await connect(home, ['reach', 'echo', 'other', ...args])).stderr
  expect(await hintOf('--port', '1')).toMatch(/\n {2}Give each its port by NAME:PORT\.\n$/)
  expect(await hintOf('--stdio')).toMatch(/\n {2}Run connect reach once for each of them\.\n$/)
  expect(await hintOf('--', 'true')).toMatch(/\n {2}Run connect reach once for each of them\.\n$/)
})

test('a name that was mistyped gets the one that was meant', async () => {
  const hints = '  Did you mean: echo\n  See what there is: connect services\n'
  const stderr = `[x] There is no service "ehco"\n${hints}`
  expect(await connect(home, ['reach', 'ehco'])).toMatchObject({ code: 1, stdout: '', stderr })
  expect(await connect(home, ['reach', 'ehco', '--keep'])).toMatchObject({ code: 1, stdout: '', stderr })
  expect((await connect(home, ['reach', 'other', 'ehco'])).stderr).toBe(stderr)
})

test.for(['5433', '5433:5432'])(
  'a local port as a word of its own, %s, is told where it stands',
  async (word) => {
    expect(await connect(home, ['reach', 'echo', word])).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        '[x] There is no service "5433"\n  A local port stands behind a colon: connect reach NAME:PORT\n  See what there is: connect services\n',
    })
  },
)
