import { connect as dial } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
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

test('a service that the daemon exposes is reached by name, and again after a restart', async () => {
  const server = await world.machine('server')
  const client = await world.machine('client')

  expect(await connectOk(server, ['daemon', 'start'])).toMatch(
    /^🚀 Starting daemon in background\.\.\.\n\n\[ok\] Daemon started \(PID: \d+\)\n {2}Logs: ~\/\.privateconnect\/daemon\.log\n {2}Hub: connected\n$/,
  )
  expect(await connectOk(server, ['expose', `localhost:${echo.port}`, '--name', 'echo'])).toContain(
    '[ok] Exposing',
  )
  const { port } = await world.reach(client, 'echo')
  expect(await ask(port, 'hello')).toBe('hello')

  expect(await connectOk(server, ['daemon', 'restart'])).toMatch(
    /^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/,
  )
  expect(await ask(port, 'still there')).toBe('still there')
})

async function ask(port: number, question: string): Promise<string> {
  const socket = dial({ port, host: '127.0.0.1' })
  socket.end(question)
  return text(socket)
}
