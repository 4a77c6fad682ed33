import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { joined } from '../fixtures/joined.ts'
import { runFixture, runProgram } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect, connectOk, root, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

const installed = (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string })
  .version

/** A copy of the package that says it is of another version. @returns its program */
function packageOf(version: string): string {
  const folder = scratchFolder()
  for (const name of ['bin', 'dist', 'package.json', 'oclif.manifest.json'])
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true })
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  for (const name of ['package.json', 'oclif.manifest.json']) {
    const file = path.join(folder, name)
    const content = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...content, version }))
  }
  return path.join(folder, 'bin', 'run.js')
}

test('an agent of an older version is told by status and start, and a restart brings the newer one', async () => {
  const home = await joined(world, 'older')
  const older = runProgram([process.execPath, packageOf('0.0.9'), 'daemon', 'start'], { env: home.env })
  expect(await older.exited, older.output).toMatchObject({ code: 0 })
  const [, pid] = /PID: (\d+)/.exec(older.stdout) ?? []

  const advice = `0.0.9, installed is ${installed}. Run: connect daemon restart\n`
  const shown = await connectOk(home, ['daemon', 'status'])
  expect(shown).toContain('    Version: 0.0.9\n')
  expect(shown).toContain(
    `    The daemon runs version 0.0.9, and ${installed} is installed. Run: connect daemon restart\n`,
  )
  expect(JSON.parse(await connectOk(home, ['daemon', 'status', '--json']))).toMatchObject({
    version: '0.0.9',
    installedVersion: installed,
    unresponsive: false,
    silence: null,
  })
  expect(await connectOk(home, ['daemon', 'start'])).toBe(
    `[ok] Daemon already running (PID: ${pid})\n` +
      '  Logs: ~/.privateconnect/daemon.log\n' +
      '  Hub: connected\n' +
      `  It runs version ${advice}`,
  )
  expect(await connectOk(home, ['daemon', 'restart'])).toMatch(
    /^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/,
  )
  const status = await connectOk(home, ['daemon', 'status'])
  expect(status).toContain(`    Version: ${installed}\n`)
  expect(status).not.toContain('Run: connect daemon restart')
})

test('an agent that was started when names in its files were others is asked, stopped and started again', async () => {
  const home = await joined(world, 'first')
  const agent = runFixture('be-first-agent.ts', [], { env: home.env })
  onTestFinished(() => agent.stop())
  await agent.printed(/running/)
  const status = await connectOk(home, ['daemon', 'status'])
  expect(status).toContain(`    PID: ${agent.pid}\n`)
  expect(status).toContain('    Connection: connected\n')
  expect(await connectOk(home, ['daemon', 'restart'])).toMatch(
    /^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/,
  )
  expect(identify(agent.pid)).toBeUndefined()
  const restarted = await connectOk(home, ['daemon', 'status', '--json'])
  expect(JSON.parse(restarted)).toMatchObject({ status: 'running', unresponsive: false })
  expect(await connectOk(home, ['daemon', 'stop'])).toBe('[ok] Daemon stopped\n')
})

describe('an agent whose answers cannot be read', () => {
  async function other(home: Home, answer: string): Promise<RunningCli> {
    const agent = runFixture('be-other-agent.ts', [answer], { env: home.env })
    onTestFinished(() => agent.stop())
    await agent.printed(/running/)
    return agent
  }

  testVariations([
    ['JSON of another shape', '{"protocol":9,"agent":{"id":"x"}}'],
    ['no JSON', '<h1>hello</h1>'],
    ['nothing', ''],
  ] as const)(
    '(%s) is said to be so, most likely of another version, and can be stopped',
    async ([, answer]) => {
      const home = await joined(world, 'other')
      const agent = await other(home, answer)
      const status = await connectOk(home, ['daemon', 'status'])
      expect(status).toContain('● Status: running\n')
      expect(status).toContain(`    PID: ${agent.pid}\n`)
      expect(status).toContain(
        '    Connection: unknown: the agent’s answer can’t be read: most likely it is of another version\n',
      )
      expect(status).toContain(
        `    The daemon runs version 9.0.0, and ${installed} is installed. Run: connect daemon restart\n`,
      )
      expect(JSON.parse(await connectOk(home, ['daemon', 'status', '--json']))).toMatchObject({
        status: 'running',
        connection: null,
        unresponsive: true,
        silence: 'the agent’s answer can’t be read: most likely it is of another version',
        version: '9.0.0',
      })
      const started = await connectOk(home, ['daemon', 'start'])
      expect(started).toContain(`[ok] Daemon already running (PID: ${agent.pid})\n`)
      expect(started).toContain(
        `  It runs version 9.0.0, installed is ${installed}. Run: connect daemon restart\n`,
      )
      expect(await connect(home, ['expose', '9', '--name', 'web'])).toMatchObject({
        code: 1,
        stderr:
          '[x] The agent that runs gave an answer that this version can’t read\n  Run: connect daemon restart\n',
      })
      expect(await connectOk(home, ['daemon', 'stop'])).toBe('[ok] Daemon stopped\n')
      expect(identify(agent.pid)).toBeUndefined()
    },
  )

  test('is replaced by a restart', async () => {
    const home = await joined(world, 'replaced')
    const agent = await other(home, '{}')
    const restarted = await connectOk(home, ['daemon', 'restart'])
    expect(restarted).toMatch(/^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/)
    expect(identify(agent.pid)).toBeUndefined()
    expect(await connectOk(home, ['daemon', 'status'])).toContain('Connection: connected\n')
  })
})
