import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { needsTerminal } from '../fixtures/machine/needs-terminal.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { connect, connectOk, runJs, RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/**
 * What a person sees who types this.
 *
 * @param answer what is typed then; default nothing
 */
async function typed(
  home: Home,
  words: string,
  env: NodeJS.ProcessEnv,
  { columns = 100, rows = 40, answer = '', code = 0 } = {},
): Promise<string> {
  // A new terminal is 0 columns wide.
  const command = `stty cols ${columns} rows ${rows}; exec '${process.execPath}' '${runJs}' ${words}`
  const options = { env: { ...home.env, TERM: 'xterm-256color', ...env }, cwd: home.folder }
  const inTerminal = 'printf %s "$1" | script -qfec "$0" /dev/null'
  const terminal = runProgram(['sh', '-c', inTerminal, command, answer], options)
  expect(await terminal.exited, terminal.output).toMatchObject({ code })
  return terminal.stdout.replaceAll('\r\n', '\n')
}

const START = [
  'Check the configuration',
  'Spawn the agent',
  'Wait up to 3 s for it to stabilise',
  'Verify that it still runs',
]

test('a terminal sees the steps move, and then the same lines as a pipe', async (context) => {
  needsTerminal(context)
  const home = await joined(world)
  const shown = await typed(home, 'daemon start', {})
  expect(shown).toContain('\u001b[')
  for (const step of START) expect(shown).toContain(step)
  // That it started is said once: the steps are gone, by an erased line.
  expect(shown.lastIndexOf(START.at(-1)!)).toBeLessThan(shown.lastIndexOf('\u001b[2K'))
  expect(shown.slice(shown.lastIndexOf('\u001b[2K'))).toMatch(
    /\[ok\] Daemon started \(PID: \d+\)\n {2}Logs: ~\/\.privateconnect\/daemon\.log\n {2}Hub: connected\n/,
  )
})

test('a terminal is told what comes next, as its last line; a pipe is not', async (context) => {
  needsTerminal(context)
  const [home, laptop] = [emptyHome(), await joined(world, 'laptop')]
  mkdirSync(home.folder, { recursive: true })
  const env = { CONNECT_PLATFORM: 'background', PRIVATECONNECT_TOKEN: await world.joinToken() }
  const last = async (words: string, on = home, answer = '') => {
    const lines = (await typed(on, words, env, { answer })).trimEnd().split('\n')
    // The cursor is shown again once all is said.
    return lines.findLast((line) => !line.startsWith('\u001b'))
  }
  expect(await last(`login --hub ${world.hubUrl}`)).toBe(
    '  Next: connect daemon start (it does not come back after a reboot)',
  )
  expect(await last('daemon start')).toBe(
    '  Next: connect expose PORT --name NAME (what others offer: connect services)',
  )
  expect(await last('expose 80 --name next')).toBe('  Next: connect reach next (on another machine)')
  const newcomer = emptyHome('newcomer')
  mkdirSync(newcomer.folder, { recursive: true })
  env.PRIVATECONNECT_TOKEN = await world.joinToken()
  expect(await last(`login --hub ${world.hubUrl}`, newcomer)).toBe('  Next: connect reach next --keep')
  expect(await last('services', laptop)).toBe('  Next: connect reach next')
  expect(await last('reach next --keep', laptop, 'n\n')).toBe(
    '  Next: connect daemon start (it does not come back after a reboot)',
  )
  expect(await last('status', laptop)).toBe('  All commands: connect --help')
  const { stdout, stderr } = await connect(home, ['expose', '80', '--name', 'next'])
  expect(stdout + stderr).not.toContain('Next:')
})

test('a terminal is asked whether a daemon is to hold what is kept, and Enter is yes', async (context) => {
  needsTerminal(context)
  const home = await joined(world, 'keeper')
  await connectOk(home, ['daemon', 'start'])
  await connectOk(home, ['daemon', 'stop'])
  const shown = await typed(home, 'reach any --keep --port 0', {}, { answer: '\n' })
  expect(shown).toContain(
    'Run connect daemon start now, so that it is held from now on (it does not come back after a reboot)? [Y/n]',
  )
  expect(shown).toContain('[ok] Daemon started (PID: ')
  expect(await connectOk(home, ['reach'])).toMatch(/^any +localhost:\d+ +held/m)
})

test('a terminal sees the seconds count while a stop waits for an agent that does not react', async (context) => {
  needsTerminal(context)
  const home = await joined(world)
  await connectOk(home, ['daemon', 'start'])
  const { pid } = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as { pid: number }
  process.kill(pid, 'SIGSTOP')
  const shown = await typed(home, 'daemon stop', {})
  for (const seconds of [1, 2, 3, 4])
    expect(shown).toContain(`Wait up to 5 s for a clean exit · ${seconds} s`)
  expect(shown).toContain('Send SIGKILL')
  expect(shown.slice(shown.lastIndexOf('\u001b[2K'))).toContain(
    '[ok] Daemon stopped\n  It did not end within 5 s and was killed\n',
  )
})

test('which step took how long is told to who asks by DEBUG, and stdout stays as it is', async () => {
  const home = await joined(world)
  const run = (action: string) =>
    connect(home, ['daemon', action], { env: { DEBUG: '*:daemon:*', NO_COLOR: '1' } })
  const started = await run('start')
  const told = ({ stderr }: { stderr: string }) =>
    [...stderr.matchAll(/connect:daemon:\w+ ([A-Z].*: (?:done|skipped|failed).*?)(?: \+\d+m?s)?$/gm)].map(
      ([, line]) => line,
    )
  expect(told(started)).toEqual(START.map((step) => `${step}: done`))
  expect(started.stdout).toMatch(
    /^🚀 Starting daemon in background\.\.\.\n\n\[ok\] Daemon started \(PID: \d+\)\n/,
  )
  const stopped = await run('stop')
  expect(told(stopped)).toEqual([
    'Send SIGTERM: done',
    'Wait up to 5 s for a clean exit: done',
    'Send SIGKILL: skipped, it has exited',
    'Remove the PID file: done',
  ])
  expect(stopped.stdout).toBe('[ok] Daemon stopped\n')
})

testVariations([
  ['NO_COLOR is set', { NO_COLOR: '1' }],
  ['the terminal is a dumb one', { TERM: 'dumb' }],
  ['CI is set', { CI: 'true' }],
] as const)('nothing moves and nothing is coloured where %s', async ([, env], context) => {
  needsTerminal(context)
  const home = await joined(world)
  const shown = await typed(home, 'daemon start', env)
  expect(shown).not.toContain('\u001b')
  expect(shown).toMatch(/^🚀 Starting daemon in background\.\.\.\n\n\[ok\] Daemon started \(PID: \d+\)\n/)
  expect(await connectOk(home, ['daemon', 'stop'])).toBe('[ok] Daemon stopped\n')
})

test('a line that is too long for the terminal is broken between words, and on a pipe it stays whole', async (context) => {
  needsTerminal(context)
  const home = await joined(world)
  await connectOk(home, ['daemon', 'start'])
  const shown = await typed(home, 'daemon status', {}, { columns: 80 })
  expect(shown).toContain(
    '\n    Manager: a background process: not restarted after a crash, gone after a\n      reboot\n',
  )
  expect(Math.max(...shown.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80)
  expect(await connectOk(home, ['daemon', 'status'])).toContain(
    '    Manager: a background process: not restarted after a crash, gone after a reboot\n',
  )
})

test.for([
  [
    'Ctrl-D at the question for a token types nothing, and that is said',
    '\u0004',
    1,
    '[x] No invite or join token was typed\n',
  ],
  ['Ctrl-C at the question for a token ends it', '\u0003', 130, ''],
] as const)('%s', async ([, key, code, said], context) => {
  needsTerminal(context)
  const home = emptyHome()
  mkdirSync(home.folder)
  const command = `exec '${process.execPath}' '${runJs}' login --hub ${world.hubUrl}`
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { env: home.env, cwd: home.folder })
  const running = new RunningCli(terminal, 'login')
  await running.printed(/Invite or join token .*: $/)
  terminal.stdin.write(key)
  expect(await running.exited).toMatchObject({ code })
  const [, ...lines] = running.stdout.replaceAll('\r\n', '\n').split('\n')
  expect(lines.join('\n').split('  Set ')[0]).toBe(said)
})

test.for(['reach web --stdio --keep', 'expose 80', 'reach web --stdio --json'])(
  'what is wrong with a command line is said without escapes on a terminal, too: %s',
  async (words, context) => {
    needsTerminal(context)
    const home = emptyHome()
    const command = `'${process.execPath}' '${runJs}' ${words}`
    const env = { ...home.env, TERM: 'xterm-256color', FORCE_COLOR: undefined, NO_COLOR: undefined }
    const terminal = runProgram(['script', '-qfec', command, '/dev/null'], { env })
    expect(await terminal.exited).toMatchObject({ code: 2 })
    expect(terminal.stdout).toMatch(/(?:together|missing)/)
    for (const escape of ['\u001B', String.raw`\u`]) expect(terminal.stdout).not.toContain(escape)
  },
)

test('doctor shows its checks as they run; --fix asks before it mends, and Enter is yes', async (context) => {
  needsTerminal(context)
  const home = await joined(world)
  chmodSync(home.file('config.json'), 0o622)
  const mode = () => statSync(home.file('config.json')).mode & 0o777
  const diagnosed = (words: string, options: { answer?: string; code?: number; rows?: number } = {}) =>
    typed(home, words, { CONNECT_PLATFORM: 'background' }, options)
  const declined = await diagnosed('doctor --fix', { answer: 'n\n', code: 1 })
  expect(declined).toMatch(/To be mended:\n {2}Modes of our files: .*config\.json/)
  expect(declined).toContain('Mend that now? [Y/n]')
  expect(declined).toMatch(/\[x\] Modes of our files: /)
  expect(mode()).toBe(0o622)
  const shown = await diagnosed('doctor --fix', { answer: '\n' })
  expect(shown).toContain('\u001b[')
  expect(shown.slice(shown.lastIndexOf('\u001b[2K'))).toMatch(/\[ok\] Modes of our files: .*\n +Mended: /)
  expect(mode()).toBe(0o600)
  chmodSync(home.file('config.json'), 0o622)
  const last = await diagnosed('doctor', { code: 1, rows: 24 })
  const screen = last
    .slice(last.lastIndexOf('\u001b[2K'))
    .split('\n')
    .map((line) => stripVTControlCharacters(line).trim())
    .filter((line) => line !== '')
  expect(screen.length).toBeLessThan(24)
  expect(screen.at(-1)).toMatch(/^Failed: Files \(Modes of our files\)$/)
  expect(screen.join('\n')).toMatch(/^\[x\] Files: .*\n\[ok\] This machine: \d ok\n/)
  expect(screen.join('\n')).toMatch(/\n\[x\] Modes of our files: .*\n(.*\n)?.*chmod 600/)
  expect(screen.join('\n')).not.toContain('Disk space')
  expect(await diagnosed('doctor --verbose', { code: 1 })).toMatch(/\n {2}\[ok\] Disk space: /)
  expect(await diagnosed('doctor --fix --yes')).not.toContain('[Y/n]')
  expect(mode()).toBe(0o600)
})
