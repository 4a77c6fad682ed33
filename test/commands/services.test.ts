import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { connectOk, startConnect, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

let world: World
let echo: TestServer

beforeAll(async () => {
  world = await World.start()
  echo = await echoServer()
})

afterAll(async () => {
  await world.stop()
  await echo.close()
})

test('services tells a target that is down from one that answers, and an agent from its targets', async () => {
  const home = await joined(world, 'ada')
  const gone = await echoServer()
  await connectOk(home, ['expose', String(echo.port), '--name', 'alive'])
  await connectOk(home, ['expose', String(gone.port), '--name', 'dead'])
  await gone.close()
  await connectOk(home, ['daemon', 'start'])
  const listed = (await connectOk(home, ['services']))
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, '  '))
  expect(listed).toEqual([
    'Exposed by this machine:',
    '  NAME  TARGET',
    `  alive  localhost:${echo.port}  answers`,
    `  dead  localhost:${gone.port}  does not answer now: connection refused`,
    'Offered in the workspace:',
    '  NAME  PORT  FROM  AGENT ID  AGENT',
    expect.stringMatching(new RegExp(`^  alive  ${echo.port}  ada  agent_\\w+  online$`)),
    expect.stringMatching(new RegExp(`^  dead  ${gone.port}  ada  agent_\\w+  online$`)),
    '',
  ])
})

/** A connection to the echo of a machine, over a `reach` of another one. */
async function heldConnection(machine: string): Promise<{
  home: Home
  socket: Socket
  reach: RunningCli
  says: (word: string) => Promise<void>
}> {
  const home = await joined(world, machine)
  await connectOk(home, ['expose', String(echo.port), '--name', machine])
  await connectOk(home, ['daemon', 'start'])
  const { port, cli: reach } = await world.reach(await joined(world, `${machine}-client`), machine)
  const socket = dial(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const says = async (word: string) => {
    socket.write(word)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(String(answer)).toBe(word)
  }
  await says('before')
  return { home, socket, reach, says }
}

test('unexpose ends the connections that are open, and says how many there were and why', async () => {
  const { home, socket, reach } = await heldConnection('held')
  const [failed] = await Promise.all([
    once(socket, 'error'),
    connectOk(home, ['unexpose', 'held']).then((printed) =>
      expect(printed).toBe('[ok] held is no longer exposed\n  1 connection to it was ended\n'),
    ),
  ])
  expect(failed).toMatchObject([{ code: 'ECONNRESET' }])
  await reach.printed(/Connection \w{8} failed: "held" is no longer exposed\n/)
  expect(await connectOk(home, ['daemon', 'logs'])).toMatch(
    /Connection \w{8} failed: "held" is no longer exposed\n/,
  )
})

test('unexpose --drain refuses new connections, and lets those that are open finish, until it is said again', async () => {
  const { home, socket, says, reach } = await heldConnection('drained')
  const drain = ['unexpose', 'drained', '--drain']
  const stays =
    '  1 connection to it stays open until it ends by itself. To end it now: connect unexpose drained\n'
  expect(await connectOk(home, drain)).toBe(`[ok] drained is no longer exposed\n${stays}`)
  await says('after')
  const another = dial(socket.remotePort!, '127.0.0.1')
  await expect(once(another, 'close')).rejects.toMatchObject({ code: 'ECONNRESET' })
  await reach.printed(/there is no service "drained"/)
  await says('once more')
  expect(await connectOk(home, drain)).toBe(`drained was not exposed here\n${stays}`)
  const reset = once(socket, 'error')
  expect(await connectOk(home, ['unexpose', 'drained'])).toBe(
    'drained was not exposed here\n  1 connection to it was ended\n',
  )
  expect(await reset).toMatchObject([{ code: 'ECONNRESET' }])
})

test('status asks an agent in the foreground, and says so first', async () => {
  const home = await joined(world, 'carol')
  await connectOk(home, ['expose', String(echo.port), '--name', 'here'])
  const up = world.keep(startConnect(home, ['up', '--foreground']))
  await up.printed(/Connected to hub/)
  const status = await connectOk(home, ['daemon', 'status'])
  expect(status).toMatch(
    new RegExp(
      '^📊 Private Connect Daemon Status\n\n  ○ Status: stopped\n' +
        `    An agent runs in the foreground \\(PID: ${up.pid}\\): connected\n`,
    ),
  )
  expect(status).toContain('    Live streams: 0\n')
  expect(status).toContain('\n    To have a daemon instead: end it with Ctrl-C, then connect daemon start\n')
  expect(JSON.parse(await connectOk(home, ['daemon', 'status', '--json']))).toMatchObject({
    status: 'stopped',
    connection: null,
    foregroundPid: up.pid,
    foreground: {
      pid: up.pid,
      connection: { state: 'connected', reason: null },
      silence: null,
      services: [{ name: 'here', host: 'localhost', port: echo.port }],
      streams: 0,
      version: expect.any(String),
    },
  })
  await up.stop('SIGINT')
})
