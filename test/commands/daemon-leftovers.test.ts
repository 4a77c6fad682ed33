import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { waitFor } from '../../src/process/wait.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { joined } from '../fixtures/joined.ts'
import { runFixture } from '../fixtures/run-fixture.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

async function startedPid(home: Home): Promise<number> {
  const { pid } = JSON.parse(await connectOk(home, ['daemon', 'start', '--json'])) as { pid: number }
  return pid
}

async function kill(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await waitFor(() => (identify(pid) ? undefined : true), { timeoutMs: 30_000 })
}

describe('a PID file whose process is gone', () => {
  test('is told as the specification says, and removed', async () => {
    const home = await joined(world)
    await kill(await startedPid(home))
    expect(existsSync(home.file('daemon.pid'))).toBe(true)
    const stdout = await connectOk(home, ['daemon', 'status'])
    expect(stdout).toMatch(/^( *)○ Status: stopped\n\1 {2}\(cleaned up stale PID file\)$/m)
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
    expect(await connectOk(home, ['daemon', 'status'])).not.toContain('cleaned up')
  })

  test('does not stand in the way of a new start', async () => {
    const home = await joined(world)
    const before = await startedPid(home)
    await kill(before)
    const now = await startedPid(home)
    expect(now).not.toBe(before)
    expect(readFileSync(home.file('daemon.pid'), 'utf8')).toBe(`${now}\n`)
  })

  test.for(['', '-1', '99999999999'])('may hold "%s": stop has nothing to stop', async (content) => {
    const home = await joined(world)
    writeFileSync(home.file('daemon.pid'), content)
    expect(await connect(home, ['daemon', 'stop'])).toMatchObject({
      code: 0,
      stdout: 'The daemon was not running: there is nothing to stop\n',
    })
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
  })
})

describe('a PID file that names someone else’s process', () => {
  test('does it no harm, whatever the daemon is told to do', async () => {
    const home = await joined(world)
    const stranger = runFixture('on-sigterm.ts')
    await stranger.printed(/ready/)
    const pretend = () => {
      writeFileSync(home.file('daemon.pid'), `${stranger.pid}\n`)
      // A record too, as it would be if the number had come round to this process.
      const record = { startTime: '1', world: 'w', nonce: 'n', mode: 'daemon', version: '0', startedAt: 't' }
      writeFileSync(home.file('agent.json'), JSON.stringify({ pid: stranger.pid, ...record }))
    }
    for (const args of [['stop'], ['status'], ['restart'], ['start', '--replace']]) {
      pretend()
      expect(await connect(home, ['daemon', ...args]), args.join(' ')).toMatchObject({ code: 0 })
      // Whatever was started is a daemon of ours, and ends.
      await connectOk(home, ['daemon', 'stop'])
    }
    expect(stranger.stdout).toBe('ready\n')
    expect(identify(stranger.pid)).toBeDefined()
  })
})

describe('a running agent is found', () => {
  test('without its PID file', async () => {
    const home = await joined(world)
    const pid = await startedPid(home)
    rmSync(home.file('daemon.pid'))
    expect(await connectOk(home, ['daemon', 'start'])).toContain(`already running (PID: ${pid})`)
    expect(await connectOk(home, ['daemon', 'stop'])).toBe('[ok] Daemon stopped\n')
    expect(identify(pid)).toBeUndefined()
  })
})

describe('a daemon that ends at once', () => {
  test('is reported with its exit code, its log and its last lines', async () => {
    const home = await joined(world)
    const damaged = '{"version":1,"services":[{'
    writeFileSync(home.file('services.json'), damaged)
    const { code, stdout, stderr } = await connect(home, ['daemon', 'start'])
    expect(code).toBe(1)
    expect(stdout).not.toContain('[ok]')
    const [first, second, ...said] = stderr.trimEnd().split('\n')
    expect(first).toBe('[x] Daemon failed to start: Process exited with code 78')
    expect(second).toBe('  Check logs: ~/.privateconnect/daemon.log')
    expect(said.join('\n')).toMatch(/^ {2,}.*services\.json is not valid JSON/m)
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
    expect(readFileSync(home.file('services.json'), 'utf8')).toBe(damaged)
    expect(await connectOk(home, ['daemon', 'logs'])).toContain('services.json is not valid JSON')
  })

  test('leaves an error for a program', async () => {
    const home = await joined(world)
    writeFileSync(home.file('services.json'), '[]')
    const { code, stdout } = await connect(home, ['daemon', 'start', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'DAEMON_FAILED',
        message: 'Daemon failed to start: Process exited with code 78',
        hints: expect.arrayContaining(['Check logs: ~/.privateconnect/daemon.log']),
      },
    })
  })

  test('on a restart is reported too, and nothing runs then', async () => {
    const home = await joined(world)
    const pid = await startedPid(home)
    writeFileSync(home.file('services.json'), '[]')
    const { code, stderr } = await connect(home, ['daemon', 'restart'])
    expect(code).toBe(1)
    expect(stderr).toContain('[x] Daemon failed to start: Process exited with code 78\n')
    expect(identify(pid)).toBeUndefined()
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
  })
})
