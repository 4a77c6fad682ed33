import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { identify } from '../../../src/process/identity.ts'
import type { StartReport } from '../../../src/tasks/start.ts'
import { connect, connectOk, startConnect } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { testVariations } from '../../helpers/variations.ts'
import { World } from '../../helpers/world.ts'
import { joined } from '../../fixtures/joined.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

async function statusOf(home: Home): Promise<{ status: string; pid: number | null }> {
  return JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as { status: string; pid: number }
}

/** How many agents this machine's log has seen start. */
function starts(home: Home): number {
  return readFileSync(home.file('daemon.log'), 'utf8').split('Starting Private Connect Agent').length - 1
}

testVariations([4, 10])('%i starts at once leave one agent', { timeout: 120_000 }, async (many) => {
  const home = await joined(world)
  const results = await Promise.all(
    Array.from({ length: many }, () => connect(home, ['daemon', 'start', '--json'], { timeoutMs: 100_000 })),
  )
  expect(results.map(({ code }) => code)).toEqual(results.map(() => 0))
  const reports = results.map(({ stdout }) => JSON.parse(stdout) as StartReport)
  const { pid } = await statusOf(home)
  expect(identify(pid!)).toBeDefined()
  // Each answer is true: one has started it, the others have found it, and it was connected.
  for (const report of reports)
    expect(report).toMatchObject({ pid, stopped: null, hub: { state: 'connected' } })
  expect(reports.map(({ outcome }) => outcome).toSorted()).toEqual([
    ...Array.from({ length: many - 1 }, () => 'already running'),
    'started',
  ])
  expect(starts(home)).toBe(1)
})

test(
  'starts, stops and restarts in any order leave one agent or none',
  { tags: ['variation'], timeout: 120_000 },
  async () => {
    const home = await joined(world)
    const actions = ['start', 'restart', 'stop', 'start', 'restart', 'stop']
    const results = await Promise.all(
      actions.map((action) => connect(home, ['daemon', action], { timeoutMs: 100_000 })),
    )
    for (const { code, stderr } of results) expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const pids = new Set(results.flatMap(({ stdout }) => /PID: (\d+)/.exec(stdout)?.[1] ?? []))
    const alive = [...pids].filter((pid) => identify(Number(pid)))
    const { status, pid } = await statusOf(home)
    expect(alive).toEqual(status === 'running' ? [String(pid)] : [])
  },
)

test('an agent that does not react is killed after 5 s, and that is said', async () => {
  const home = await joined(world)
  await connectOk(home, ['daemon', 'start'])
  const { pid } = await statusOf(home)
  process.kill(pid!, 'SIGSTOP')
  const status = await connectOk(home, ['daemon', 'status'])
  expect(status).toContain('● Status: running')
  expect(status).toContain('does not answer')
  const { code, stdout } = await connect(home, ['daemon', 'stop'])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: '[ok] Daemon stopped\n  It did not end within 5 s and was killed\n',
  })
  expect(identify(pid!)).toBeUndefined()
  expect((await statusOf(home)).status).toBe('stopped')
})

test('an agent in the foreground is not the daemon: no command stops it or starts one beside it', async () => {
  const home = await joined(world)
  const up = world.keep(startConnect(home, ['up']))
  await up.printed(/Connected to hub/)
  const { code, stderr } = await connect(home, ['daemon', 'start'])
  expect(code).toBe(1)
  expect(stderr).toBe(
    `[x] An agent runs in the foreground (PID: ${up.pid})\n` +
      '  End it with Ctrl-C where it runs, then run: connect daemon start\n',
  )
  expect(await connectOk(home, ['daemon', 'stop'])).toBe(
    'The daemon was not running: there is nothing to stop\n' +
      `  An agent runs in the foreground (PID: ${up.pid}): end it with Ctrl-C where it runs\n`,
  )
  expect(await connectOk(home, ['daemon', 'status'])).toContain(`(PID: ${up.pid})`)
  expect(identify(up.pid)).toBeDefined()
  await up.stop('SIGINT')
  expect(up.stdout).toMatch(/\] Stopped\n$/)
  expect(await up.exited).toEqual({ code: 0, signal: null })
})

test('two instances in one home run beside each other', { tags: ['variation'] }, async () => {
  const home = await joined(world)
  const other = ['--config', home.file('staging.json')]
  const token = await world.joinToken()
  await connectOk(home, ['login', '--hub', world.hubUrl, ...other], { env: { PRIVATECONNECT_TOKEN: token } })
  await connectOk(home, ['daemon', 'start'])
  expect(await connectOk(home, ['daemon', 'start', ...other])).toContain(
    'Logs: ~/.privateconnect/staging.daemon.log',
  )
  const first = await statusOf(home)
  await connectOk(home, ['daemon', 'stop', ...other])
  expect(await statusOf(home)).toMatchObject({ status: 'running', pid: first.pid })
})
