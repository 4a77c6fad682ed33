import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { formatLine, type Level } from '../../../src/log/line.ts'
import { connect, connectOk, runJs } from '../../helpers/cli.ts'
import { makeHome, type Home } from '../../helpers/home.ts'
import { runProgram } from '../../fixtures/run-fixture.ts'
import { testVariations } from '../../helpers/variations.ts'

const HOUR = 3_600_000
const RULE = '─'.repeat(56)

/** A home folder with these logs: daemon.log, what was rotated out of it last, and so on. */
function homeWith(...contents: string[]): Home {
  const home = makeHome()
  onTestFinished(() => home.remove())
  mkdirSync(path.dirname(home.file('daemon.log')), { recursive: true })
  for (const [age, content] of contents.entries()) {
    writeFileSync(home.file(age === 0 ? 'daemon.log' : `daemon.log.${age}`), content)
  }
  return home
}

/** @param hoursAgo when it was written */
function line(words: string, level: Level = 'info', hoursAgo = 0): string {
  return `${formatLine(new Date(Date.now() - hoursAgo * HOUR), level, words)}\n`
}

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(`number ${from + index}.`)).join('')

const logs = (home: Home, ...args: string[]) => connectOk(home, ['daemon', 'logs', ...args])

/** What stands between the rules, without the time of day. */
function framed(stdout: string): string[] {
  const lines = stdout.split('\n')
  return lines.slice(3, lines.lastIndexOf(RULE)).map((one) => one.replace(/^\[\d\d:\d\d:\d\d\] /, ''))
}

test.for(['--lines 50', '--since 1h', '--since 1h --json'])(
  '%s shows little of a log that a crash has left full of zeros, and soon',
  async (options) => {
    const home = homeWith('', line('before'))
    truncateSync(home.file('daemon.log'), 32 * 1024 ** 3)
    const stdout = await logs(home, ...options.split(' '))
    expect(stdout.length).toBeLessThan(8 * 1024 * 1024)
    expect(stdout).toContain('more characters)')
  },
)

describe('how many lines:', () => {
  test('the last 50, in their frame', async () => {
    const stdout = await logs(homeWith(numbered(0, 60)))
    expect(stdout).toMatch(
      new RegExp(
        `^📋 Daemon Logs \\(~/\\.privateconnect/daemon\\.log\\)\n\n${RULE}\n(\\[\\d\\d:\\d\\d:\\d\\d\\] number \\d+\\.\n){50}${RULE}\n\n` +
          '  Showing last 50 lines\\. Full log: ~/\\.privateconnect/daemon\\.log\n$',
      ),
    )
    expect(framed(stdout).at(-1)).toBe('number 59.')
  })

  test('as many as asked for, from files that were rotated out too', async () => {
    const home = homeWith(numbered(40, 45), numbered(20, 40), numbered(0, 20))
    const stdout = await logs(home, '--lines', '30')
    expect(framed(stdout)).toEqual(Array.from({ length: 30 }, (_, index) => `number ${15 + index}.`))
    expect(stdout).toContain('  Showing last 30 lines. Full log: ')
    expect(await logs(home)).toContain('  Showing last 45 lines. Full log: ')
  })

  test('right after a rotation there are some all the same', async () => {
    expect(framed(await logs(homeWith('', line('before')), '-n1'))).toEqual(['before'])
  })

  test('none is an error without --follow', async () => {
    expect(await connect(homeWith(''), ['daemon', 'logs', '-n', '0'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^\[x\] --lines 0 shows nothing without --follow\n/),
    })
  })
})

describe('--since', () => {
  const home = () =>
    homeWith(
      line('an hour ago', 'info', 1) + line('now'),
      line('a day ago', 'info', 24),
      line('old', 'info', 72),
    )

  testVariations([
    ['30m', ['now']],
    ['2h', ['an hour ago', 'now']],
    ['2d', ['a day ago', 'an hour ago', 'now']],
    ['2001-02-03', ['old', 'a day ago', 'an hour ago', 'now']],
  ] as const)('%s shows all lines since then', async ([since, shown]) => {
    const stdout = await logs(home(), '--since', since)
    expect(framed(stdout)).toEqual(shown)
    expect(stdout).toContain(`Showing last ${shown.length} line`)
  })

  test('shows more than 50 lines, or as many as --lines says', async () => {
    const many = homeWith(line('old', 'info', 5) + numbered(0, 200))
    expect(framed(await logs(many, '--since', '1h'))).toHaveLength(200)
    expect(framed(await logs(many, '--since', '1h', '-n', '3'))).toEqual([
      'number 197.',
      'number 198.',
      'number 199.',
    ])
  })

  test('shows a crash report with the line before it', async () => {
    const crashed = homeWith(
      `${line('old', 'info', 5)}OldError\n${line('now')}Error: boom\n    at main (file.js:1:2)\n`,
    )
    expect(framed(await logs(crashed, '--since', '1h'))).toEqual([
      'now',
      'Error: boom',
      '    at main (file.js:1:2)',
    ])
  })

  test('shows them all after a clock that was wrong for a while, ahead or behind', async () => {
    const current =
      line('before', 'info', 0.5) + line('no battery', 'info', 500_000) + line('after', 'warn', 0.2)
    const wrong = homeWith(line('again', 'info', -30) + line('right', 'info', 0.1), current)
    expect(framed(await logs(wrong, '--since', '1h'))).toEqual(['before', 'after', 'again', 'right'])
    expect(framed(await logs(wrong, '--since', '1h', '-n', '3'))).toEqual(['after', 'again', 'right'])
  })

  testVariations(['yesterday', '2026-02-30', '25:00', '0m', '10', ''])(
    '"%s" is not understood',
    async (since) => {
      const { code, stdout, stderr } = await connect(home(), ['daemon', 'logs', `--since=${since}`])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^\[x\] "[^"]*" is (no time|not a time) .*\n {2}\S.*\n$/)
    },
  )
})

describe('--level', () => {
  const home = () =>
    homeWith(
      line('fine') + line('careful', 'warn') + line('broken', 'error') + 'Error: boom\n' + line('fine'),
    )

  testVariations([
    ['info', ['fine', 'careful', 'broken', 'Error: boom', 'fine']],
    ['warn', ['careful', 'broken', 'Error: boom']],
    ['error', ['broken', 'Error: boom']],
  ] as const)('%s shows that and worse, and crash reports', async ([level, shown]) => {
    expect(framed(await logs(home(), '--level', level))).toEqual(shown)
  })

  test('looks further back than the lines that it shows', async () => {
    const quiet = homeWith(numbered(0, 100), line('careful', 'warn') + numbered(0, 100))
    expect(framed(await logs(quiet, '--level', 'warn', '-n', '1'))).toEqual(['careful'])
  })

  test('of another name is not understood', async () => {
    const { code, stderr } = await connect(home(), ['daemon', 'logs', '--level', 'debug'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^\[x\] .*info, warn, error\n/)
  })
})

test('where nothing matches, it says so, and that is no error', async () => {
  const home = homeWith(line('fine', 'info', 3))
  expect(await logs(home, '--level', 'warn')).toBe('No log lines at warn or above\n')
  expect(await logs(home, '--level', 'error')).toBe('No log lines at error\n')
  expect(await logs(home, '--since', '2h')).toMatch(/^No log lines since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/)
  expect(await logs(home, '--since', '2h', '--level', 'warn')).toMatch(
    /^No log lines at warn or above since \d/,
  )
  expect(await logs(homeWith(''), '--level', 'warn')).toBe('No logs yet\n')
  expect(JSON.parse(await logs(home, '--level', 'warn', '--json'))).toEqual({
    warnings: [],
    file: home.file('daemon.log'),
    lines: [],
  })
})

test('--json is one document: time, level and text of each line', async () => {
  const home = homeWith(`Error: before\n${line('care\u001bful', 'warn')}Error: \u009b2Jboom\n`)
  const { file, lines } = JSON.parse(await logs(home, '--json')) as {
    file: string
    lines: { time: string }[]
  }
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/)
  expect(file).toBe(home.file('daemon.log'))
  expect(lines).toEqual([
    { time: null, level: 'error', text: 'Error: before' },
    { time, level: 'warn', text: 'care\\u{1b}ful' },
    { time, level: 'error', text: 'Error: \u009b2Jboom' },
  ])
  expect(lines[2]!.time).toBe(lines[1]!.time)
})

describe('colours', () => {
  const words = line('fine') + line('careful', 'warn') + line('broken', 'error')

  /** What a person sees who types this. */
  async function typed(home: Home, env: NodeJS.ProcessEnv): Promise<string> {
    const command = `exec '${process.execPath}' '${runJs}' daemon logs`
    const terminal = runProgram(['script', '-qfec', command, '/dev/null'], {
      env: { ...home.env, TERM: 'xterm-256color', ...env },
    })
    expect(await terminal.exited, terminal.output).toMatchObject({ code: 0 })
    return terminal.stdout
  }

  test('mark warnings and errors on a terminal, unless NO_COLOR is set', async (context) => {
    if (!spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux')) {
      if (process.env.CI && process.platform === 'linux')
        throw new Error('script (util-linux) is not installed')
      context.skip('script (util-linux) is not installed')
    }
    const home = homeWith(words)
    const shown = await typed(home, {})
    const marked = shown.replaceAll('\u001b', 'ESC').replaceAll(/\[\d\d:\d\d:\d\d\]/g, 'TIME')
    expect(marked).toContain('\nTIME fine\r\nESC[33mTIME carefulESC[39m\r\nESC[31mTIME brokenESC[39m\r\n')
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const plain = await typed(home, env)
      expect(plain).toMatch(/\] careful\r\n\[\S+\] broken\r\n/)
      expect(plain).not.toContain('\u001b')
    }
  })

  test('there are none on a pipe, whatever the environment says', async () => {
    const stdout = await connectOk(homeWith(words), ['daemon', 'logs'], { env: { FORCE_COLOR: '1' } })
    expect(stdout).toMatch(/\] careful\n\[\S+\] broken\n/)
    expect(stdout).not.toContain('\u001b')
  })
})

test('nobody reads any more, and the command ends without a word', async () => {
  const home = homeWith(numbered(0, 100_000))
  const child = spawn(process.execPath, [runJs, 'daemon', 'logs', '--since', '1h'], {
    env: home.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stderr = text(child.stderr)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  const [code] = (await once(child, 'close')) as [number | null]
  expect(await stderr).toBe('')
  expect(code).toBe(0)
})

test('who may only read the folder and the log sees it, and leaves everything as it is', async (context) => {
  if (process.platform === 'win32') context.skip('there are no such modes on Windows')
  const home = homeWith(line('now'), line('before'))
  const folder = path.dirname(home.file('daemon.log'))
  const uid = process.getuid?.() === 0 ? 65_534 : undefined
  const files = readdirSync(folder).map((name) => path.join(folder, name))
  for (const file of files) chmodSync(file, 0o444)
  for (const name of [path.dirname(home.folder), home.folder, folder]) {
    if (uid !== undefined) chownSync(name, uid, uid)
    chmodSync(name, 0o555)
  }
  onTestFinished(() => chmodSync(folder, 0o755))
  const reader = runProgram([process.execPath, runJs, 'daemon', 'logs'], {
    env: home.env,
    cwd: '/',
    ...(uid && { uid, gid: uid }),
  })
  const { code } = await reader.exited
  expect({ code, stderr: reader.stderr }).toEqual({ code: 0, stderr: '' })
  expect(framed(reader.stdout)).toEqual(['before', 'now'])
  expect(readdirSync(folder)).toHaveLength(files.length)
  for (const file of files) expect(statSync(file).mode & 0o777).toBe(0o444)
})

test('a log that cannot be read is an error that says so', async () => {
  const home = homeWith()
  mkdirSync(home.file('daemon.log'))
  expect(await connect(home, ['daemon', 'logs'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr:
      '[x] Could not read ~/.privateconnect/daemon.log: not a file\n  Make the file readable for your user.\n',
  })
})
