import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { describeExit, spawnDetached, type DetachedOptions } from '../../src/process/spawn-detached.ts'
import { terminate } from '../../src/process/terminate.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'

/** What runs a line of JavaScript in an empty folder. */
function optionsFor(script: string): DetachedOptions {
  const cwd = scratchFolder()
  return {
    command: [process.execPath, '-e', script],
    env: { MARK: 'from the caller' },
    cwd,
    logFile: path.join(cwd, 'daemon.log'),
  }
}

test('it gets its environment, its folder, and the log as stdout and stderr', async () => {
  const options = optionsFor('console.log(process.env.MARK); console.error(process.cwd()); process.exit(3)')
  writeFileSync(options.logFile, 'before\n')
  const child = await spawnDetached(options)
  const exit = await child.exited
  expect(exit).toEqual({ code: 3, signal: null })
  expect(describeExit(exit)).toBe('exited with code 3')
  expect(readFileSync(options.logFile, 'utf8')).toBe(`before\nfrom the caller\n${options.cwd}\n`)
})

test('a signal that ends it is told from an exit code', async () => {
  const child = await spawnDetached(optionsFor("process.kill(process.pid, 'SIGKILL')"))
  const exit = await child.exited
  expect(exit).toEqual({ code: null, signal: 'SIGKILL' })
  expect(describeExit(exit)).toBe('was ended by SIGKILL')
})

test.skipIf(process.platform === 'win32')('its log is for us alone', async () => {
  const options = optionsFor('')
  const umask = process.umask(0)
  const child = await spawnDetached(options).finally(() => process.umask(umask))
  await child.exited
  expect(statSync(options.logFile).mode & 0o777).toBe(0o600)
})

test.skipIf(process.platform === 'win32')('it leads a session of its own, with no terminal', async () => {
  const child = await spawnDetached(optionsFor('setInterval(() => {}, 60000)'))
  const ps = execFileSync('ps', ['-o', 'pgid=,sess=,tty=', '-p', String(child.pid)], { encoding: 'utf8' })
  process.kill(child.pid, 'SIGKILL')
  await child.exited
  const [group, session, terminal] = ps.trim().split(/\s+/)
  expect(Number(group)).toBe(child.pid)
  if (process.platform === 'linux') expect(Number(session)).toBe(child.pid)
  expect(terminal).toMatch(/^\?+$/)
})

test('it outlives who started it, and holds none of that one’s pipes', async () => {
  const logFile = path.join(scratchFolder(), 'daemon.log')
  const parent = runFixture('spawn-and-leave.ts', [logFile])
  const [, number] = await parent.printed(/started (\d+)/)
  const pid = Number(number)
  onTestFinished(async () => {
    const left = identify(pid)
    if (left) await terminate(left)
  })
  // Settles once its pipes are closed at the other end: here by everyone.
  expect(await parent.exited).toEqual({ code: 0, signal: null })
  const written = () => /out\nerr\n/.exec(readFileSync(logFile, 'utf8')) ?? undefined
  expect(await waitFor(written, { timeoutMs: 30_000 })).toBeDefined()
  expect(identify(pid)).toBeDefined()
})

test('a program that does not exist is an error that says so', async () => {
  const error = await rejectionOf(spawnDetached({ ...optionsFor(''), command: ['/nonexistent/node'] }))
  expect(error.code).toBe('DAEMON_FAILED')
  expect(error.message).toBe('Daemon failed to start: spawn /nonexistent/node ENOENT')
})

test('a log that cannot be written is an error, and nothing is started', async () => {
  const logFile = path.join(scratchFolder(), 'missing', 'daemon.log')
  const error = await rejectionOf(spawnDetached({ ...optionsFor(''), logFile }))
  expect(error.code).toBe('WRITE_FAILED')
  expect(error.message).toContain(logFile)
})
