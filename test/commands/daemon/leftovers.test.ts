import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import type { InstanceProcess } from '../../../src/control/process-record.ts'
import { identify } from '../../../src/process/identity.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { joined } from '../../fixtures/joined.ts'
import { runFixture } from '../../fixtures/run-fixture.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { until } from '../../helpers/until.ts'
import { testVariations } from '../../helpers/variations.ts'
import { World } from '../../helpers/world.ts'

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
  await until(() => !identify(pid))
}

describe('a PID file whose process is gone', () => {
  test('is told to the letter, and removed', async () => {
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

  testVariations(['', '-1', '99999999999'])('may hold "%s": stop has nothing to stop', async (content) => {
    const home = await joined(world)
    writeFileSync(home.file('daemon.pid'), content)
    expect(await connect(home, ['daemon', 'stop'])).toMatchObject({
      code: 0,
      stdout: 'The daemon was not running: there is nothing to stop\n',
    })
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
  })
})

describe('someone else’s process gets no signal, whatever the daemon is told to do, though it is named by', () => {
  const named = (home: Home, stranger: number, other: Partial<InstanceProcess>) => {
    const instance = instanceFor(undefined, home.folder)
    const record = identityFor(instance, { ...identify(stranger)!, ...other })
    writeFileSync(home.file('agent.json'), JSON.stringify(record))
  }

  testVariations<[string, (home: Home, stranger: number) => void]>([
    ['a PID file alone', () => {}],
    ['a record whose start time is another’s', (home, pid) => named(home, pid, { startTime: '1' })],
    ['a record of another boot or container', (home, pid) => named(home, pid, { bootAndNamespace: 'w' })],
    ['a record that was copied here', (home, pid) => named(home, pid, { configFile: '/x/config.json' })],
    ['a record of another program', (home, pid) => writeFileSync(home.file('agent.json'), `{"pid":${pid}}`)],
  ])('%s', { timeout: 120_000 }, async ([, pretend]) => {
    const home = await joined(world)
    const stranger = runFixture('record-signals.ts')
    await stranger.printed(/ready/)
    const actions = ['stop', 'start', 'start --replace', 'restart', 'uninstall', 'status', 'logout']
    for (const action of actions) {
      writeFileSync(home.file('daemon.pid'), `${stranger.pid}\n`)
      pretend(home, stranger.pid)
      const args = action === 'logout' ? [action] : ['daemon', ...action.split(' ')]
      const { code, stdout, stderr } = await connect(home, args)
      expect({ code, stderr }, action).toEqual({ code: 0, stderr: '' })
      expect(stdout, action).not.toContain(`PID: ${stranger.pid}`)
      expect(stdout, action).not.toContain('[ok] Daemon stopped')
      // Whatever was started is a daemon of ours, and ends.
      if (/start/.test(action)) await connectOk(home, ['daemon', 'stop'])
    }
    expect(identify(stranger.pid)).toBeDefined()
    // It sees what it is sent: else its silence would prove nothing.
    process.kill(stranger.pid, 'SIGCONT')
    await stranger.printed(/SIGCONT/)
    expect(stranger.stdout).toBe('ready\nSIGCONT\n')
  })
})

test(
  'an agent that does not run on is given its 5 s, and no more than a few',
  { tags: ['variation'], timeout: 120_000 },
  async () => {
    const home = await joined(world)
    const pid = await startedPid(home)
    process.kill(pid, 'SIGSTOP')
    const began = performance.now()
    expect(JSON.parse(await connectOk(home, ['daemon', 'stop', '--json']))).toEqual({
      warnings: [],
      stopped: 'killed',
      foregroundPid: null,
    })
    const took = performance.now() - began
    expect(identify(pid)).toBeUndefined()
    expect(took).toBeGreaterThanOrEqual(4900)
    expect(took).toBeLessThan(12_000)
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
  },
)

testVariations(['stop', 'restart', 'start --replace'])(
  'daemon %s leaves none of the agent’s children, though they ignore SIGTERM',
  { timeout: 120_000 },
  async (action) => {
    const home = await joined(world)
    const preload = path.join(
      import.meta.dirname,
      '..',
      '..',
      'fixtures',
      'programs',
      'agent-with-children.ts',
    )
    const file = path.join(home.folder, 'children')
    await connectOk(home, ['daemon', 'start'], {
      env: { NODE_OPTIONS: `--import=${pathToFileURL(preload).href}`, CHILDREN_FILE: file },
    })
    const written = () => (existsSync(file) ? /^(\d+) (\d+)\n$/.exec(readFileSync(file, 'utf8')) : null)
    const [, ...numbers] = (await waitFor(() => written() ?? undefined, { timeoutMs: 30_000 }))!
    const children = numbers.map(Number)
    onTestFinished(() => {
      for (const child of children) if (identify(child)) process.kill(child, 'SIGKILL')
    })
    expect(children.every((child) => identify(child))).toBe(true)
    await connectOk(home, ['daemon', ...action.split(' ')])
    expect(children.filter((child) => identify(child))).toEqual([])
  },
)

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
      warnings: [],
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
