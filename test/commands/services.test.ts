import { connect as dial } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { connectOk, startConnect } from '../helpers/cli.ts'
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

test('unexpose says how many connections stay open, and they do', async () => {
  const home = await joined(world, 'bob')
  await connectOk(home, ['expose', String(echo.port), '--name', 'held'])
  await connectOk(home, ['daemon', 'start'])
  const { port } = await world.reach(await joined(world, 'eve'), 'held')
  const socket = dial(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const answer = async () => String(((await once(socket, 'data')) as [Buffer])[0])
  socket.write('before')
  expect(await answer()).toBe('before')
  expect(await connectOk(home, ['unexpose', 'held'])).toBe(
    '[ok] held is no longer exposed\n' +
      '  1 connection to it stays open until it ends by itself. To end it now: connect daemon restart\n',
  )
  socket.write('after')
  expect(await answer()).toBe('after')
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
