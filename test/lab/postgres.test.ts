import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { connectOk, startConnect, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { makeLauncher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import {
  pgbench,
  postgresPrograms,
  psql,
  startPostgres,
  startPsql,
  type Postgres,
} from './helpers/postgres.ts'
import { labSuite } from './helpers/suite.ts'
import { Terminal } from './helpers/terminal.ts'

const programs = [...postgresPrograms, 'tmux']

labSuite('PostgreSQL behind a daemon', { programs, root: true }, () => {
  const own = ownedBySuite()
  let postgres: Postgres
  let port: number
  let client: Home

  beforeAll(async () => {
    postgres = own(await startPostgres(), (it) => it.stop())
    const world = own(await World.start(), (it) => it.stop())
    const server = await world.machine('server')
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', `localhost:${postgres.port}`, '--name', 'postgres'])
    client = await world.machine('client')
    port = (await world.reach(client, 'postgres')).port
  })

  test('psql runs a query, and a result of many megabytes arrives whole', async () => {
    expect(await psql(port, 'select 6 * 7')).toBe('42')
    const megabytes = await psql(port, "select repeat(md5('x'), 65536) from generate_series(1, 8)")
    expect(megabytes.length).toBe(8 * 32 * 65_536 + 7)
  })

  test('an interactive psql behind -- has the terminal: its keys, its job control, its end', async () => {
    const launcher = own(makeLauncher(), (it) => it.remove())
    const terminal = own(await Terminal.open(client, { PATH: launcher.path, PAGER: '' }), (it) => it.close())
    await terminal.type('connect reach postgres -- psql --no-psqlrc -h {host} -p {port} -U postgres postgres')
    await terminal.shows(/^postgres=#/m)
    // tmux takes a semicolon at the end for its own.
    await terminal.type(String.raw`select pg_sleep(600) \g`)
    const sleeping = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
    await expect.poll(() => psql(postgres.port, sleeping), { timeout: 30_000 }).toBe('1')
    await terminal.press('C-c')
    await terminal.shows(/canceling statement due to user request/)
    await terminal.press('C-z')
    await terminal.shows(/Stopped/)
    await terminal.type('fg')
    await terminal.type(String.raw`select 'six times seven is ' || 6 * 7 \g`)
    await terminal.shows(/six times seven is 42/)
    await terminal.type(String.raw`\q`)
    expect((await terminal.runs('stty -a')).screen).toMatch(/ icanon .* echo /s)
  })

  test('pgbench fills its tables and runs 20 clients for 10 s without a failed transaction', async () => {
    expect(await pgbench(port, ['-i', '-s', '2', '-q'])).toMatchObject({ code: 0 })
    const bench = await pgbench(port, ['-c', '20', '-j', '2', '-T', '10'])
    expect(bench.code, bench.stderr).toBe(0)
    expect(bench.stdout).toMatch(/number of failed transactions: 0 /)
    const [, transactions] = /transactions actually processed: (\d+)/.exec(bench.stdout) ?? []
    expect(Number(transactions)).toBeGreaterThan(0)
    console.log(/^tps = .*$/m.exec(bench.stdout)?.[0])
    expect(await psql(port, 'select count(*) from pgbench_history')).toBe(transactions)
  })

  test('200 psql sessions are open at once, and each gets its own answer', async () => {
    // Each waits for a lock that one session holds until all are there.
    const holding = psql(
      postgres.port,
      `select pg_advisory_lock(1); ${waitForSessions(200)} select pg_advisory_unlock(1)`,
    )
    const held = await waitFor(async () => ((await lockHolders(postgres.port)) === '1' ? true : undefined), {
      timeoutMs: 30_000,
    })
    expect(held).toBe(true)
    const sessions = Array.from({ length: 200 }, (_, index) =>
      psql(port, `select pg_advisory_lock_shared(1); select 'session ' || ${index}`),
    )
    const answers = await Promise.all(sessions)
    expect(answers.map((answer) => answer.trim())).toEqual(sessions.map((_, index) => `session ${index}`))
    await holding
  })
})

labSuite('PostgreSQL through Unix sockets at both ends', { programs: postgresPrograms, root: true }, () => {
  const own = ownedBySuite()
  let folder: string
  let reach: RunningCli

  beforeAll(async () => {
    const postgres = own(await startPostgres(), (it) => it.stop())
    const world = own(await World.start(), (it) => it.stop())
    const server = await world.machine('server')
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', `unix:${postgres.socket}`, '--name', 'pg'])
    const client = await world.machine('client')
    folder = client.folder
    const socketPath = path.join(folder, '.s.PGSQL.5432')
    reach = world.keep(startConnect(client, ['reach', 'pg', '--socket', socketPath]))
    await reach.printed(/Connected to hub/)
  })

  test('psql -h FOLDER runs a query, and a result of many megabytes arrives whole', async () => {
    expect(await psql(folder, 'select 6 * 7')).toBe('42')
    // The server sees a Unix socket, too.
    expect(await psql(folder, 'select inet_server_addr() is null')).toBe('t')
    const megabytes = await psql(folder, "select repeat(md5('x'), 65536) from generate_series(1, 8)")
    expect(megabytes.length).toBe(8 * 32 * 65_536 + 7)
  })

  test('pgbench runs 20 clients for 5 s without a failed transaction', async () => {
    expect(await pgbench(folder, ['-i', '-s', '2', '-q'])).toMatchObject({ code: 0 })
    const bench = await pgbench(folder, ['-c', '20', '-j', '2', '-T', '5'])
    expect(bench.code, bench.stderr).toBe(0)
    expect(bench.stdout).toMatch(/number of failed transactions: 0 /)
  })

  test('a result that is cut short is an error, though a Unix socket has no reset', async () => {
    const running = startPsql(folder, "select repeat(md5('x'), 65536) from generate_series(1, 100000)")
    const waiting = startPsql(folder, 'select pg_sleep(60)')
    await psql(folder, waitForQueries(2))
    await reach.stop('SIGKILL')
    expect(await Promise.all([running.exited, waiting.exited])).toMatchObject([{ code: 2 }, { code: 2 }])
    for (const { stderr } of [running, waiting])
      expect(stderr).toMatch(/server closed the connection unexpectedly/)
  })
})

/** A statement that goes on until so many other sessions are at work. */
function waitForQueries(count: number): string {
  const active =
    "select count(*) from pg_stat_activity where state = 'active' and backend_type = 'client backend'"
  return `do $$ begin while (${active}) <= ${count} loop perform pg_sleep(0.1); perform pg_stat_clear_snapshot(); end loop; end $$;`
}

const WAITING = "select count(*) from pg_locks where locktype = 'advisory' and not granted"

/** A statement that goes on until so many others wait for the lock. */
function waitForSessions(count: number): string {
  return `do $$ begin while (${WAITING}) < ${count} loop perform pg_sleep(0.1); end loop; end $$;`
}

function lockHolders(port: number): Promise<string> {
  return psql(port, "select count(*) from pg_locks where locktype = 'advisory' and granted")
}
