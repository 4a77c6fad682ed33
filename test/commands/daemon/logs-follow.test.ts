import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openLogFile } from '../../../src/log/file/log-file.ts'
import { formatLine } from '../../../src/log/line.ts'
import { numbersIn, upTo } from '../../fixtures/log-folder.ts'
import { runFixture } from '../../fixtures/run-fixture.ts'
import { runJs, startConnect, type RunningCli } from '../../helpers/cli.ts'
import { makeHome, type Home } from '../../helpers/home.ts'

const HEADER = `📋 Daemon Logs (~/.privateconnect/daemon.log)\n\n${'─'.repeat(56)}\n`

function homeWithFolder(): Home {
  const home = makeHome()
  onTestFinished(() => home.remove())
  mkdirSync(path.dirname(home.file('daemon.log')), { recursive: true })
  return home
}

/** `connect daemon logs --follow`, until the end of the test. Returns once it follows. */
async function following(home: Home, ...args: string[]): Promise<RunningCli> {
  const cli = startConnect(home, ['daemon', 'logs', '--follow', ...args])
  onTestFinished(() => cli.stop('SIGKILL'))
  await cli.printed(/─\n/)
  return cli
}

/** What it has printed below its header. */
const shown = (cli: RunningCli) => cli.stdout.slice(HEADER.length).replaceAll(/^\[\d\d:\d\d:\d\d\] /gm, '')

const line = (words: string) => `${formatLine(new Date(), 'info', words)}\n`

test('200,000 lines come in order, each one once, over many rotations', { timeout: 120_000 }, async () => {
  const home = homeWithFolder()
  const cli = await following(home, '-n', '0')
  const log = home.file('daemon.log')
  const writer = runFixture('write-log.ts', [log, '200000', '1900000', '9', '--exit'])
  await writer.printed(/all written/, 60_000)
  await cli.printed(/number 199999\n/, 60_000)
  const numbers = numbersIn(cli.stdout.split('\n'))
  expect(numbers.length).toBe(200_000)
  expect(numbers.findIndex((number, index) => number !== index)).toBe(-1)
  expect(existsSync(`${log}.5`)).toBe(true)
  expect(cli.stderr).toBe('')
})

test('the frame is open: header, lines so far, lines as they come, and Ctrl-C is a good end', async () => {
  const home = homeWithFolder()
  const log = home.file('daemon.log')
  writeFileSync(log, line('one') + line('two') + line('three') + 'half ')
  const cli = await following(home, '-n', '2')
  await cli.printed(/three\n/)
  appendFileSync(log, 'a line\n')
  await cli.printed(/half a line\n/)
  cli.kill('SIGINT')
  expect(await cli.exited).toEqual({ code: 0, signal: null })
  expect(cli.stdout.startsWith(HEADER)).toBe(true)
  expect(shown(cli)).toBe('two\nthree\nhalf a line\n')
  expect(cli.stderr).toBe('')
})

describe('it goes on where the log', () => {
  test('is not there yet', async () => {
    const home = homeWithFolder()
    rmSync(path.dirname(home.file('daemon.log')), { recursive: true })
    const cli = await following(home)
    mkdirSync(path.dirname(home.file('daemon.log')), { recursive: true })
    writeFileSync(home.file('daemon.log'), line('one'))
    await cli.printed(/one\n/)
    expect(shown(cli)).toBe('one\n')
  })

  test('is renamed, as by logrotate, or deleted', async () => {
    const home = homeWithFolder()
    const log = home.file('daemon.log')
    const { write, close } = openLogFile(log)
    onTestFinished(close)
    const cli = await following(home)
    write('one')
    renameSync(log, `${log}.1`)
    write('two')
    await cli.printed(/two\n/)
    rmSync(log)
    write('three')
    await cli.printed(/three\n/)
    expect(shown(cli)).toBe('one\ntwo\nthree\n')
    expect(cli.stderr).toBe('')
  })

  test('is emptied, and says so', async () => {
    const home = homeWithFolder()
    const log = home.file('daemon.log')
    writeFileSync(log, line('one'))
    const cli = await following(home)
    await cli.printed(/one\n/)
    truncateSync(log)
    appendFileSync(log, line('two'))
    await cli.printed(/two\n/)
    await cli.printed(/are gone\n/)
    expect(shown(cli)).toBe('one\ntwo\n')
    expect(cli.stderr).toBe('[!] The log was emptied: lines that were not shown yet are gone\n')
  })

  test('was rotated too fast, and says so', async () => {
    const home = homeWithFolder()
    const log = home.file('daemon.log')
    writeFileSync(log, line('one'))
    const cli = await following(home)
    await cli.printed(/one\n/)
    // All of it while the follower sleeps between two looks, or at least is not done with the first of them.
    cli.kill('SIGSTOP')
    const { write, takeOver, close } = openLogFile(log, { maxBytes: 100, keep: 2 })
    onTestFinished(close)
    takeOver()
    for (const number of upTo(100)) write(`number ${number}`)
    cli.kill('SIGCONT')
    await cli.printed(/number 99\n/)
    await cli.printed(/^\[!\] Some lines were lost: the log was rotated faster than it was read\n/m)
    expect(numbersIn(cli.stdout.split('\n')).at(-1)).toBe(99)
  })
})

test('filters hold for what comes, too', async () => {
  const home = homeWithFolder()
  const { write, close } = openLogFile(home.file('daemon.log'))
  onTestFinished(close)
  write('before', 'warn')
  write('fine')
  const cli = await following(home, '--level', 'warn', '--since', '1h')
  write('fine')
  write('careful', 'warn')
  appendFileSync(home.file('daemon.log'), 'Error: boom\n')
  write('broken', 'error')
  await cli.printed(/broken\n/)
  expect(shown(cli)).toBe('before\ncareful\nError: boom\nbroken\n')
})

test('with --json each line is an object of its own, and nothing else is printed', async () => {
  const home = homeWithFolder()
  const { write, close } = openLogFile(home.file('daemon.log'))
  onTestFinished(close)
  write('before')
  write('one')
  const cli = startConnect(home, ['daemon', 'logs', '-f', '-n', '1', '--json'])
  onTestFinished(() => cli.stop('SIGKILL'))
  await cli.printed(/one/)
  appendFileSync(home.file('daemon.log'), 'Error: boom\n')
  write('two', 'warn')
  await cli.printed(/two.*\n/)
  cli.kill('SIGTERM')
  expect(await cli.exited).toEqual({ code: 0, signal: null })
  const objects = cli.stdout
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one) as { time: string })
  const time = expect.stringMatching(/^\d{4}-/)
  expect(objects).toEqual([
    { time, level: 'info', text: 'one' },
    { time, level: 'error', text: 'Error: boom' },
    { time, level: 'warn', text: 'two' },
  ])
  expect(objects[1]!.time).toBe(objects[0]!.time)
})

test('nobody reads any more, and it ends without a word at the next line', async () => {
  const home = homeWithFolder()
  const child = spawn(process.execPath, [runJs, 'daemon', 'logs', '-f'], { env: home.env })
  onTestFinished(() => void child.kill('SIGKILL'))
  const stderr = text(child.stderr)
  await once(child.stdout, 'data')
  child.stdout.destroy()
  appendFileSync(home.file('daemon.log'), line('one'))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(await stderr).toBe('')
  expect(code).toBe(0)
})
