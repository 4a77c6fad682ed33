import { text } from 'node:stream/consumers'
import { beforeAll, expect, test } from 'vitest'
import { connect, connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { makeLauncher, type Launcher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { dial } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'
import { Terminal } from './helpers/terminal.ts'

const env = { CONNECT_PLATFORM: 'background' }
const RULE = '─'.repeat(56)

interface Shown {
  readonly command: string
  readonly code?: number
  /**
   * The lines that never change, and below them what may be added; what differs from run to run as patterns.
   */
  readonly lines: readonly (string | RegExp)[]
  /** On stderr, so that a terminal shows it below. */
  readonly errors?: readonly (string | RegExp)[]
}

/** One after the other, as a person would, and what each prints, to the letter. */
const SESSION: readonly Shown[] = [
  {
    command: 'daemon status',
    lines: [
      '📊 Private Connect Daemon Status',
      '',
      '  ○ Status: stopped',
      '    Service installed: no',
      '    Platform: linux',
      /^ {4}Agent ID: agent_\w+$/,
      '    Label: alex-macbook',
      /^ {4}Hub: http:\/\/\S+$/,
      '    Autostart: no',
      '    To start it: connect daemon start',
    ],
  },
  { command: 'daemon logs', lines: ['No logs yet'] },
  {
    command: 'daemon start',
    lines: [
      '🚀 Starting daemon in background...',
      '',
      /^\[ok\] Daemon started \(PID: \d+\)$/,
      '  Logs: ~/.privateconnect/daemon.log',
      '  Hub: connected',
    ],
  },
  {
    command: 'daemon status',
    lines: [
      '📊 Private Connect Daemon Status',
      '',
      '  ● Status: running',
      /^ {4}PID: \d+$/,
      '    Service installed: no',
      '    Platform: linux',
      /^ {4}Agent ID: agent_\w+$/,
      '    Label: alex-macbook',
      /^ {4}Hub: http:\/\/\S+$/,
      '    Manager: a background process: not restarted after a crash, gone after a reboot',
      /^ {4}Running since: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
      '    Autostart: no',
      '    Connection: connected',
      '    Live streams: 0',
      /^ {4}Version: \d+\.\d+\.\d+\S*$/,
    ],
  },
  {
    command: 'daemon restart',
    lines: ['[ok] Daemon stopped', '[ok] Daemon started', /^ {2}PID: \d+$/, '  Hub: connected'],
  },
  {
    command: 'daemon install',
    code: 1,
    lines: [''],
    errors: [
      /^\[x\] No service manager is supported on this machine/,
      '  Run it as a background process instead: connect daemon start',
    ],
  },
  {
    command: 'daemon uninstall',
    lines: ['The daemon is not installed as a service: there is nothing to remove'],
  },
  { command: 'daemon stop', lines: ['[ok] Daemon stopped'] },
  { command: 'daemon stop', lines: ['The daemon was not running: there is nothing to stop'] },
]

const SPINNER = /[⠁-⣿]/

labSuite('what the commands print on a terminal, to the letter', { programs: ['tmux', 'bash'] }, () => {
  const own = ownedBySuite()
  let world: World
  let echo: TestServer
  let launcher: Launcher

  beforeAll(async () => {
    launcher = own(makeLauncher(), (it) => it.remove())
    world = own(await World.start(), (it) => it.stop())
    echo = own(await echoServer(), (it) => it.close())
  })

  async function openTerminal(home: Home, more: Readonly<Record<string, string>> = {}): Promise<Terminal> {
    return own(await Terminal.open(home, { ...env, PATH: launcher.path, ...more }), (it) => it.close())
  }

  /** What a clear screen shows once a command has ended; not the shell’s lines, nor what comes next. */
  async function typed(terminal: Terminal, command: string): Promise<{ code: number; lines: string[] }> {
    const { code, screen } = await terminal.runs(`clear; connect ${command}`)
    const lines = screen.split('\n').map((line) => line.trimEnd())
    return {
      code,
      lines: lines
        .slice(
          0,
          lines.findIndex((line) => /^command-\d+ exit /.test(line)),
        )
        .filter((line) => !line.startsWith('  Next: ')),
    }
  }

  function matches(lines: readonly string[], wanted: readonly (string | RegExp)[], what: string): void {
    const expected = wanted.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line)))
    expect(lines, what).toEqual(expected)
  }

  test('is what a pipe gets, on stdout, with the errors on stderr', async () => {
    const home = await world.machine('alex-macbook')
    for (const { command, code = 0, lines, errors = [] } of SESSION) {
      const result = await connect(home, command.split(' '), { env })
      expect(result.code, command).toBe(code)
      expect(result.stdout + result.stderr).not.toContain('\u001b')
      matches(result.stdout.trimEnd().split('\n'), lines, command)
      matches(result.stderr.split('\n').slice(0, -1), errors, command)
    }
  })

  test('is what a terminal shows in the end, with no step and no spinner left', async () => {
    const home = await world.machine('alex-macbook')
    const terminal = await openTerminal(home)
    for (const { command, code = 0, lines, errors = [] } of SESSION) {
      const shown = await typed(terminal, command)
      expect(shown.code, command).toBe(code)
      expect(shown.lines.join('\n')).not.toMatch(SPINNER)
      matches(withoutBlanks(shown.lines), withoutBlanks([...lines, ...errors]), command)
    }
  })

  test('is what a terminal shows with NO_COLOR, as plain as a pipe', async () => {
    const home = await world.machine('alex-macbook')
    const terminal = await openTerminal(home, { NO_COLOR: '1' })
    for (const { command, code = 0, lines, errors = [] } of SESSION) {
      const shown = await typed(terminal, command)
      expect(shown.code, command).toBe(code)
      expect(await terminal.coloured()).not.toContain('\u001b')
      matches(withoutBlanks(shown.lines), withoutBlanks([...lines, ...errors]), command)
    }
  })

  test('is the log of a connection, line for line', async () => {
    const home = await world.machine('alex-macbook')
    await connectOk(home, ['daemon', 'start'], { env })
    await connectOk(home, ['expose', `localhost:${echo.port}`, '--name', 'postgres'], { env })
    const { port, cli } = await world.reach(await world.machine('client'), 'postgres')
    const socket = dial(port)
    socket.end('hello')
    expect(await text(socket)).toBe('hello')
    await cli.stop()
    const logged = [
      '📋 Daemon Logs (~/.privateconnect/daemon.log)',
      '',
      RULE,
      /^\[\d\d:\d\d:\d\d\] 🚀 Starting Private Connect Agent\.\.\.$/,
      /^\[\d\d:\d\d:\d\d\] \[ok\] Registered with hub$/,
      /^\[\d\d:\d\d:\d\d\] \[ok\] Connected to hub via WebSocket$/,
      /^\[\d\d:\d\d:\d\d\] \[ok\] Exposing postgres \(localhost:\d+\)$/,
      new RegExp(
        `^\\[\\d\\d:\\d\\d:\\d\\d\\] Dialing localhost:${echo.port} for connection [0-9a-f]{8}\\.\\.\\.$`,
      ),
      new RegExp(`^\\[\\d\\d:\\d\\d:\\d\\d\\] \\[ok\\] Connected to localhost:${echo.port}$`),
      RULE,
      '',
      '  Showing last 6 lines. Full log: ~/.privateconnect/daemon.log',
    ]
    const piped = await connect(home, ['daemon', 'logs'], { env })
    expect(piped).toMatchObject({ code: 0, stderr: '' })
    expect(piped.stdout).not.toContain('\u001b')
    matches(piped.stdout.trimEnd().split('\n'), logged, 'a pipe')
    const shown = await typed(await openTerminal(home), 'daemon logs')
    expect(shown.code).toBe(0)
    matches(shown.lines, logged, 'a terminal')
  })
})

/** A task list leaves blank lines of its own. */
function withoutBlanks<T>(lines: readonly T[]): T[] {
  return lines.filter((line) => line !== '')
}
