import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { identify } from '../../../src/process/identity.ts'
import { run } from '../../../src/process/run.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { DaemonStatus } from '../../../src/tasks/status.ts'
import { emptyHome, joined } from '../../fixtures/joined.ts'
import { connect, root, type CliResult } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { FAKE_RUNS_HERE, FakeLaunchd } from '../../helpers/launchctl/fake.ts'
import type { Switches } from '../../helpers/launchctl/switches.ts'
import { echoServer } from '../../helpers/servers.ts'
import { World } from '../../helpers/world.ts'

const LABEL = 'co.privateconnect.agent'
const PLIST = `~/Library/LaunchAgents/${LABEL}.plist`

/** A machine that has joined the hub, whose daemon is launchd’s. */
interface Mac {
  readonly home: Home
  readonly fake: FakeLaunchd
  readonly run: (...args: string[]) => Promise<CliResult>
  readonly ok: (...args: string[]) => Promise<string>
  readonly status: () => Promise<DaemonStatus>
}

let world: World

async function mac(name: string, switches: Partial<Switches> = {}): Promise<Mac> {
  const home = await joined(world, name)
  const fake = await FakeLaunchd.start(home.folder, switches)
  onTestFinished(() => fake.close())
  const run = (...args: string[]) => connect(home, args, { env: fake.env })
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: ROOT })
    return stdout
  }
  const status = async () => JSON.parse(await connectedStatus(run)) as DaemonStatus
  return { home, fake, run, ok, status }
}

const connectedStatus = async (run: Mac['run']) => (await run('daemon', 'status', '--json')).stdout

/** What install adds for root. */
const ROOT = expect.stringMatching(
  /^(\[!\] You are root, so the daemon may do anything on this machine\n)?$/,
) as string

async function untilConnected({ status }: Mac, not?: number): Promise<DaemonStatus> {
  const ask = async () => {
    const it = await status()
    return it.connection?.state === 'connected' && it.pid !== not ? it : undefined
  }
  const found = await waitFor(ask, { timeoutMs: 30_000 })
  expect(found, JSON.stringify(await status())).toBeDefined()
  return found!
}

/** What the service sends back, through the hub. */
async function echoed(port: number, text: string): Promise<string> {
  const socket = dial(port, '127.0.0.1')
  socket.end(text)
  let got = ''
  socket.setEncoding('utf8').on('data', (data: string) => (got += data))
  await once(socket, 'close')
  return got
}

describe.runIf(FAKE_RUNS_HERE)('the script that CI runs on a Mac (here on Linux only)', () => {
  test(
    'passes on the launchd that stands for the real one',
    { tags: ['variation'], timeout: 120_000 },
    async () => {
      const home = emptyHome('script')
      mkdirSync(home.folder)
      const fake = await FakeLaunchd.start(home.folder)
      onTestFinished(() => fake.close())
      const script = path.join(root, '.github', 'launchd.sh')
      const env = { ...home.env, ...fake.env, PATH: `${path.dirname(process.execPath)}:${fake.env.PATH}` }
      const { outcome, code, stdout, stderr } = await run(['bash', script], { env, timeoutMs: 110_000 })
      expect({ outcome, code }, stdout + stderr).toEqual({ outcome: 'exited', code: 0 })
      expect(stdout).toMatch(/\[ok\] nothing is left\n$/)
      expect(await fake.jobs()).toEqual([])
    },
  )
})

describe.runIf(FAKE_RUNS_HERE)('with launchd, or a stand-in for it (Linux only)', () => {
  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test('install prints its lines to the letter, and once more that nothing changed', async () => {
    const { home, fake, ok } = await mac('install')
    const commands =
      '  Commands:\n    Status:    connect daemon status\n    Logs:      connect daemon logs\n' +
      '    Stop:      connect daemon stop\n    Uninstall: connect daemon uninstall\n'
    expect(await ok('daemon', 'install')).toBe(
      `🔧 Installing Private Connect daemon...\n\n  Created: ${PLIST}\n\n[ok] Daemon installed and started\n` +
        `  The agent will now start automatically on login.\n\n${commands}`,
    )
    expect(await fake.jobs()).toMatchObject([{ label: LABEL, word: 'running' }])
    const [before] = await fake.jobs()
    expect(await ok('daemon', 'install')).toContain(`  Unchanged: ${PLIST}\n\n[ok] Daemon already installed`)
    expect(await fake.jobs()).toMatchObject([{ pid: before!.pid }])
    expect(await ok('daemon', 'uninstall')).toBe(
      `🔧 Uninstalling Private Connect daemon...\n\n  Removed: ${PLIST}\n\n[ok] Daemon uninstalled\n`,
    )
    expect(await fake.jobs()).toEqual([])
    expect(identify(before!.pid!)).toBeUndefined()
    expect(existsSync(path.join(home.folder, 'Library'))).toBe(false)
    expect(await ok('daemon', 'uninstall')).toContain('there is nothing to remove')
  })

  test(
    'an exposed service answers through crash, restart, stop and start, and the next login',
    { tags: ['variation'] },
    async () => {
      const server = await echoServer()
      onTestFinished(() => server.close())
      const one = await mac('service')
      const { fake, ok, status } = one
      await ok('daemon', 'install')
      await ok('expose', `localhost:${server.port}`, '--name', 'echo')
      const { port } = await world.reach(await joined(world, 'other'), 'echo')
      const answers = async (when: string) => expect(await echoed(port, when)).toBe(when)
      await answers('after install')

      const { pid: first } = await status()
      process.kill(first!, 'SIGKILL')
      const { pid: second, restarts, lastExit } = await untilConnected(one, first!)
      await answers('after a crash')
      expect({ restarts, lastExit: lastExit?.reason }).toEqual({
        restarts: 1,
        lastExit: 'ended by SIGKILL',
      })

      expect(await ok('daemon', 'restart')).toMatch(
        /^\[ok\] Daemon stopped\n\[ok\] Daemon started\n {2}PID: \d+\n/,
      )
      const { pid: third } = await untilConnected(one, second!)
      await answers('after restart')
      expect((await status()).restarts).toBe(0)

      expect(await ok('daemon', 'stop')).toBe('[ok] Daemon stopped\n')
      expect(identify(third!)).toBeUndefined()
      expect(await status()).toMatchObject({
        status: 'stopped',
        installed: true,
        autostart: 'login',
        pid: null,
      })
      expect(await ok('daemon', 'stop')).toContain('The daemon was not running')
      expect(await ok('daemon', 'start')).toMatch(/\[ok\] Daemon started \(PID: \d+\)\n/)
      await answers('after start')

      await fake.logout()
      await fake.login()
      await untilConnected(one)
      await answers('after a login')
      expect(await ok('daemon', 'status')).toContain(
        'Manager: a launchd agent: started again after a crash, and when you log in\n',
      )
      expect(await ok('daemon', 'logs')).toContain('Connected to hub')
      await ok('daemon', 'uninstall')
      expect(await fake.jobs()).toEqual([])
    },
  )

  test(
    'SIGTERM ends the agent by that signal, so that launchd starts it again',
    { tags: ['variation'] },
    async () => {
      const one = await mac('sigterm')
      await one.ok('daemon', 'install')
      const { pid } = await untilConnected(one)
      process.kill(pid!, 'SIGTERM')
      const { lastExit } = await untilConnected(one, pid!)
      expect(lastExit?.signal).toBe('SIGTERM')
      const target = `gui/${process.getuid?.()}/${LABEL}`
      expect(await one.fake.launchctl('print', target)).toMatchObject({
        stdout: expect.stringContaining('last terminating signal = Terminated: 15') as string,
      })
    },
  )

  test('an agent that was revoked stays down, and status says why', async () => {
    const one = await mac('revoked')
    await one.ok('daemon', 'install')
    const { agentId } = await untilConnected(one)
    await connect(world.hubHome, ['hub', 'agent', 'revoke', agentId!])
    const down = async () => ((await one.status()).status === 'stopped' ? true : undefined)
    expect(await waitFor(down, { timeoutMs: 30_000 })).toBe(true)
    const { reason, lastExit } = await one.status()
    expect(reason).toBe('It stays down: Process exited with code 0, by which it asks not to be started again')
    expect(lastExit).toMatchObject({ code: 0, reason: expect.stringContaining('revoked') as string })
    expect(lastExit?.fix).toContain('connect login')
    const { code, stderr } = await one.run('daemon', 'start')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] Daemon failed to start: Process exited with code 0/)
    expect(stderr).toContain('revoked')
    expect(stderr).toContain('It does not run now. Once that is fixed, run: connect daemon start')
    expect(await one.fake.jobs()).toMatchObject([{ word: 'not running', pid: null }])
  })

  test('install takes over a daemon that runs in the background', { tags: ['variation'] }, async () => {
    const { home, fake, ok, status } = await mac('take-over')
    await connect(home, ['daemon', 'start'])
    const { pid } = await status()
    await ok('daemon', 'install')
    expect(identify(pid!)).toBeUndefined()
    expect(await fake.jobs()).toMatchObject([{ pid: (await status()).pid, word: 'running' }])
  })

  test('two instances have a job each', { tags: ['variation'] }, async () => {
    const { home, fake, ok, run } = await mac('two')
    const other = home.file('staging.json')
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    await connect(home, ['login', '--hub', world.hubUrl, '--config', other], { env })
    await ok('daemon', 'install')
    expect(await ok('daemon', 'install', '--config', other)).toContain(`${LABEL}.staging.plist`)
    expect((await fake.jobs()).map(({ label }) => label)).toEqual([LABEL, `${LABEL}.staging`])
    await run('daemon', 'uninstall', '--config', other)
    expect((await fake.jobs()).map(({ label }) => label)).toEqual([LABEL])
  })

  test('--dry-run prints the plist and the commands, and changes nothing', async () => {
    const { home, fake, ok } = await mac('dry-run')
    const shown = await ok('daemon', 'install', '--dry-run')
    expect(shown).toContain(`Would write ${PLIST}:\n`)
    expect(shown).toContain(`<string>${LABEL}</string>`)
    expect(shown).toMatch(/ {2}launchctl bootstrap gui\/\d+ \S+\.plist\n/)
    expect(await fake.jobs()).toEqual([])
    expect(existsSync(path.join(home.folder, 'Library'))).toBe(false)
    expect(JSON.parse(await ok('daemon', 'install', '--dry-run', '--json'))).toMatchObject({
      installed: false,
      change: 'created',
      pid: null,
    })
    await ok('daemon', 'install')
    expect(await ok('daemon', 'install', '--dry-run')).toBe(
      `Unchanged: ${PLIST}\n\nThe daemon is installed and runs: there is nothing to do.\n`,
    )
    expect(JSON.parse(await ok('daemon', 'install', '--dry-run', '--json'))).toMatchObject({
      installed: true,
      change: 'unchanged',
      pid: expect.any(Number),
      hub: { state: 'connected' },
    })
    await ok('daemon', 'stop')
    expect(await ok('daemon', 'install', '--dry-run')).toContain(`Would write ${PLIST}:\n`)
  })

  test('the usual troubleshooting works on it', { tags: ['variation'] }, async () => {
    const one = await mac('trouble')
    await one.ok('daemon', 'install')
    const list = (await one.fake.launchctl('list')) as { stdout: string }
    expect(list.stdout).toMatch(/^\d+\t0\tco\.privateconnect\.agent$/m)
    await one.ok('daemon', 'stop')
    const file = path.join(one.home.folder, 'Library', 'LaunchAgents', `${LABEL}.plist`)
    expect(await one.fake.launchctl('load', file)).toEqual({ code: 0 })
    await untilConnected(one)
    expect(await one.ok('daemon', 'install')).toContain('already installed and running')
  })

  test('what goes wrong is said, and how it was left', async () => {
    const one = await mac('forbidden', { forbidden: 119 })
    const { code, stdout, stderr } = await one.run('daemon', 'install')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '🔧 Installing Private Connect daemon...\n\n' })
    expect(stderr).toBe(
      '[x] macOS is told not to run it in the background\n' +
        '  Allow it in System Settings › General › Login Items & Extensions, then: connect daemon install\n' +
        '  Nothing is installed, and nothing runs now.\n',
    )
    expect(existsSync(path.join(one.home.folder, 'Library', 'LaunchAgents', `${LABEL}.plist`))).toBe(false)
  })

  test('a launchctl that hangs holds no command for long', { tags: ['variation'] }, async () => {
    const one = await mac('hangs')
    await one.ok('daemon', 'install')
    const { pid } = await untilConnected(one)
    await one.fake.set({ hangs: ['print', 'bootout', 'bootstrap', 'kickstart', 'enable', 'print-disabled'] })
    for (const action of ['stop', 'install']) {
      const { code, stderr } = await one.run('daemon', action)
      expect(code).toBe(1)
      expect(stderr).toContain('gave no answer in time')
    }
    const { stdout } = await one.run('daemon', 'status')
    expect(stdout).toContain('Status: running')
    expect(stdout).toContain('gave no answer in time')
    expect(stdout).not.toContain('in the background')
    expect(identify(pid!)).toBeDefined()
    await one.fake.set({ hangs: [] })
    await one.ok('daemon', 'stop')
  })

  test('what it writes down can be read, and holds no secret', async () => {
    const { home, ok } = await mac('secrets')
    await ok('daemon', 'install')
    const text = readFileSync(path.join(home.folder, 'Library', 'LaunchAgents', `${LABEL}.plist`), 'utf8')
    const { key } = JSON.parse(readFileSync(home.file('config.json'), 'utf8')) as { key: { d: string } }
    expect(text).not.toContain(key.d)
    expect(text).toContain(`<string>${home.folder}</string>`)
  })
})
