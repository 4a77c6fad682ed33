import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { isLocked } from '../../src/files/lock.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoed, echoServer, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

const env = { CONNECT_PLATFORM: 'background' }
/** As a platform starts it that would only start it again. */
const KEPT = { CONNECT_DAEMON: '1', CONNECT_SUPERVISOR: 'background' }
const POLL = { timeout: 30_000, interval: 50 }

let world: World
let echo: TestServer
let home: Home
let pid: number
/** Through the daemon to the echo. */
let port: number
beforeAll(async () => {
  world = await World.start()
  echo = await echoServer()
  home = await world.machine('server')
  await connectOk(home, ['daemon', 'start'], { env })
  await connectOk(home, ['expose', String(echo.port), '--name', 'echo'])
  ;({ pid } = await status())
  port = (await world.reach(await world.machine('client'), 'echo')).port
})
afterAll(async () => {
  await world.stop()
  await echo.close()
})

const status = async () =>
  JSON.parse(await connectOk(home, ['daemon', 'status', '--json'], { env })) as {
    status: string
    pid: number
  }

/**
 * The daemon is the one that it was, does its work, and is the only one: it takes its lock again with its
 * next look, or with the one after that if a command has it just then.
 */
async function isAsBefore(): Promise<void> {
  expect(await status()).toMatchObject({ status: 'running', pid })
  expect(await echoed(port, 'hello')).toBe('hello')
  await expect.poll(() => isLocked(home.file('agent.lock')), POLL).toBe(true)
}

test('a socket that something has cleaned away is opened again, and expose waits for it', async () => {
  rmSync(home.file('agent.sock'))
  expect(await connectOk(home, ['expose', String(echo.port), '--name', 'echo'])).toContain('[ok] Exposing ')
  await isAsBefore()
})

test('a file in the place of the socket gives way to it', async () => {
  rmSync(home.file('agent.sock'))
  writeFileSync(home.file('agent.sock'), '')
  await expect.poll(() => statSync(home.file('agent.sock')).isSocket(), POLL).toBe(true)
  await isAsBefore()
})

test('a record, a PID file, the services and a log that were deleted are there again', async () => {
  for (const file of ['agent.json', 'daemon.pid', 'services.json', 'daemon.log']) {
    const before = readFileSync(home.file(file), 'utf8')
    rmSync(home.file(file))
    await expect.poll(() => existsSync(home.file(file)), POLL).toBe(true)
    if (file !== 'daemon.log') expect(readFileSync(home.file(file), 'utf8')).toBe(before)
  }
  await isAsBefore()
})

test('a lock that was deleted or replaced lets no second agent in, and is held again', async () => {
  for (const spoil of [() => {}, () => writeFileSync(home.file('agent.lock'), '')]) {
    rmSync(home.file('agent.lock'))
    spoil()
    const second = startConnect(home, ['up', '--hub', world.hubUrl], { env: KEPT })
    onTestFinished(() => second.stop('SIGKILL'))
    expect(await second.exited).toMatchObject({ code: 1 })
    await isAsBefore()
  }
})

test(
  'no command edits the services behind the back of an agent whose lock and socket are gone',
  { tags: ['variation'] },
  async () => {
    rmSync(home.file('agent.lock'))
    rmSync(home.file('agent.sock'))
    expect((await connect(home, ['logout'])).stderr).toContain('An agent is running with this credential')
    expect(await connectOk(home, ['expose', String(echo.port), '--name', 'two'])).toContain('[ok] Exposing ')
    expect(await connectOk(home, ['services'])).toMatch(/two .* online/)
    await isAsBefore()
  },
)

test('expose says what is so while nobody listens, and what to do', { tags: ['variation'] }, async () => {
  process.kill(pid, 'SIGSTOP')
  onTestFinished(() => void process.kill(pid, 'SIGCONT'))
  rmSync(home.file('agent.sock'))
  const { code, stderr } = await connect(home, ['expose', String(echo.port), '--name', 'echo'])
  expect(code).toBe(1)
  expect(stderr).toContain(`[x] The agent runs (PID: ${pid}), but nobody listens on its socket`)
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain('Run: connect daemon restart')
  process.kill(pid, 'SIGCONT')
  await expect.poll(() => existsSync(home.file('agent.sock')), POLL).toBe(true)
  await isAsBefore()
})

test('where all that shows an agent is gone at once, and a second one has begun, the first one ends', async () => {
  for (const file of ['agent.lock', 'agent.sock', 'agent.json']) rmSync(home.file(file))
  const second = startConnect(home, ['up', '--hub', world.hubUrl], { env: KEPT })
  onTestFinished(() => second.stop('SIGKILL'))
  const isEnded = (id: number) =>
    !existsSync(`/proc/${id}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${id}/status`, 'utf8'))
  await expect.poll(() => [pid, second.pid].filter(isEnded).length, POLL).toBe(1)
  const left = isEnded(pid) ? second.pid : pid
  await expect.poll(async () => (await status()).pid, POLL).toBe(left)
  await expect.poll(() => existsSync(home.file('agent.sock')), POLL).toBe(true)
  await expect.poll(() => readFileSync(home.file('daemon.pid'), 'utf8'), POLL).toBe(`${left}\n`)
  expect(await echoed(port, 'hello')).toBe('hello')
})
