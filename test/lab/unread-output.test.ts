import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoed, echoServer, type TestServer } from '../helpers/servers.ts'
import { PTY_PROGRAMS, UnreadTerminal } from '../helpers/unread-terminal.ts'
import { World } from '../helpers/world.ts'
import { openSocket } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('on a terminal that is full, and that nobody reads,', { programs: PTY_PROGRAMS }, () => {
  let world: World
  let echo: TestServer
  let server: Home
  let client: Home
  beforeAll(async () => {
    world = await World.start()
    echo = await echoServer()
    server = await world.machine('server')
    client = await world.machine('client')
    await connectOk(server, ['expose', String(echo.port), '--name', 'echo'])
  })
  afterAll(async () => {
    await world.stop()
    await echo.close()
  })

  function onTerminal(home: Home, args: readonly string[]): UnreadTerminal {
    const terminal = new UnreadTerminal(home, args)
    onTestFinished(() => terminal.kill())
    terminal.read()
    return terminal
  }

  /** A connection that lives through a test, and what it answers. */
  async function holdOne(port: number): Promise<(text: string) => Promise<string>> {
    const socket = await openSocket(port)
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    const ask = (text: string) => answer(socket, text)
    expect(await ask('first')).toBe('first')
    return ask
  }

  test('an agent carries on, shows later what it had to say, and ends when it is told to', async () => {
    const terminal = onTerminal(server, ['up'])
    await terminal.cli.printed(/Connected to hub/)
    const { port, cli } = await world.reach(client, 'echo')
    const ask = await holdOne(port)
    terminal.fill()
    await terminal.cli.printed(/^full$/m)
    for (let n = 0; n < 10; n++) expect(await echoed(port, `hello ${n}`)).toBe(`hello ${n}`)
    expect(await ask('still there')).toBe('still there')
    const before = terminal.cli.output.length
    terminal.read()
    await expect.poll(() => terminal.cli.output.slice(before)).toContain('[ok] Connected to localhost:')
    terminal.fill()
    await expect.poll(() => terminal.cli.output.match(/^full$/gm)).toHaveLength(2)
    await terminal.kill('SIGTERM')
    expect(await terminal.ended()).toBe(0)
    await cli.stop()
  })

  test('reach carries on, and ends when it is told to', async () => {
    const agent = world.keep(startConnect(server, ['up']))
    await agent.printed(/Connected to hub/)
    const terminal = onTerminal(client, ['reach', 'echo', '--port', '0'])
    const [, port] = await terminal.cli.printed(/is at \S+:(\d+)/)
    const ask = await holdOne(Number(port))
    terminal.fill()
    await terminal.cli.printed(/^full$/m)
    await connectOk(server, ['expose', '1', '--name', 'echo'])
    for (let n = 0; n < 5; n++) await echoed(Number(port), '').catch(() => {})
    expect(await ask('still there')).toBe('still there')
    await terminal.kill('SIGINT')
    expect(await terminal.ended()).toBe(0)
    await connectOk(server, ['expose', String(echo.port), '--name', 'echo'])
    await agent.stop()
  })

  test('a hub carries on, and ends when it is told to', async () => {
    const other = await World.start()
    await other.hub.stop()
    const { host } = new URL(other.hubUrl)
    const terminal = onTerminal(other.hubHome, ['hub', '--listen', host])
    await terminal.cli.printed(/listening on/)
    terminal.fill()
    await terminal.cli.printed(/^full$/m)
    const home = await other.machine('a')
    await connectOk(home, ['expose', String(echo.port), '--name', 'a'])
    const agent = other.keep(startConnect(home, ['up']))
    await agent.printed(/Connected to hub/)
    const { port } = await other.reach(home, 'a')
    expect(await echoed(port, 'hello')).toBe('hello')
    await terminal.kill('SIGTERM')
    expect(await terminal.ended()).toBe(0)
    await other.stop()
  })

  test.for(['up', 'hub'])('%s ends when its terminal goes away', async (what) => {
    const other = await World.start()
    const home = await other.machine('a')
    const args = what === 'up' ? ['up'] : ['hub', '--listen', '127.0.0.1:0', '--data-dir', home.file('h')]
    const terminal = onTerminal(home, args)
    await terminal.cli.printed(/listening on|Connected to hub/)
    terminal.hangUp()
    expect(await terminal.ended()).toBe(0)
    await other.stop()
  })
})

function answer(socket: Socket, text: string): Promise<string> {
  const answered = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))))
  socket.write(text)
  return answered
}
