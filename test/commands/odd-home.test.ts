import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { instanceFor, userFolder } from '../../src/config/instance.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import { echoServer, type TestServer } from '../helpers/servers.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'
import { emptyHome } from '../fixtures/joined.ts'

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

testVariations([
  ['blanks, quotes and letters of many scripts', ` it's "my" $HOME; ünï 家 #1 %s 'x`],
  ['a line break and a backslash', 'a\nb\\c'],
  ['a path too long for a socket', 'long/'.repeat(30)],
] as const)('everything works in a home with %s', async ([, name]) => {
  const home = emptyHome(name)
  const { socketPath } = instanceFor(undefined, path.resolve(home.folder))
  const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
  await connectOk(home, ['login', '--hub', world.hubUrl, '--label', 'odd'], { env })
  const started = await connect(home, ['daemon', 'start'])
  expect(started).toMatchObject({ code: 0, stderr: '' })
  expect(started.stdout).toContain('  Logs: ~/.privateconnect/daemon.log\n  Hub: connected\n')
  const service = `odd-${name.length}`
  expect(await connectOk(home, ['expose', String(echo.port), '--name', service])).toContain('[ok] Exposing')
  const { port, cli } = await world.reach(home, service)
  const socket = dial({ port, host: '127.0.0.1' })
  socket.end('hello')
  expect(await text(socket)).toBe('hello')
  await cli.stop()

  expect(await connectOk(home, ['daemon', 'restart'])).toMatch(
    /^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/,
  )
  expect(JSON.parse(await connectOk(home, ['daemon', 'status', '--json']))).toMatchObject({
    status: 'running',
    connection: { state: 'connected' },
    services: [{ name: service }],
  })
  expect(await connectOk(home, ['daemon', 'logs'])).toContain('📋 Daemon Logs (~/.privateconnect/daemon.log)')
  expect(existsSync(socketPath)).toBe(true)
  expect(path.dirname(socketPath) === userFolder()).toBe(name.startsWith('long/'))
  expect(statSync(path.dirname(socketPath)).mode & 0o777).toBe(0o700)
  expect(await connectOk(home, ['daemon', 'stop'])).toBe('[ok] Daemon stopped\n')
  expect(existsSync(socketPath)).toBe(false)
})

test.for([
  [
    'that leads to a disk which is not there',
    (folder: string) => symlinkSync('/nonexistent/disk', folder),
    'use the folder',
  ],
  ['that is a file', (folder: string) => writeFileSync(folder, ''), 'read'],
] as const)('a folder of ours %s is an error that says so', async ([, make, verb]) => {
  const home = emptyHome()
  mkdirSync(home.folder)
  make(home.file(''))
  const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
  const { code, stdout, stderr } = await connect(home, ['login', '--hub', world.hubUrl], { env })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(
    new RegExp(`^\\[x\\] Could not ${verb} \\S+/\\.privateconnect\\S*: E\\w+.*\\n {2}\\S.*\\n$`),
  )
})
