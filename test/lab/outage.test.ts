import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { connectOk, RunningCli, runJs, startConnect } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { Copy } from './helpers/copy.ts'
import { Network } from './helpers/network.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { postgresPrograms, psql, startPostgres, type Postgres } from './helpers/postgres.ts'
import { labSuite } from './helpers/suite.ts'

const PSQL = postgresPrograms[2]!
const COPY = 'copy (select repeat(md5(i::text), 250) from generate_series(1, 125000) i) to stdout'
const COPY_BYTES = 1_000_125_000
const FLOWING_BYTES = 50_000_000
const IDLE_SESSION = path.join(import.meta.dirname, 'fixtures', 'idle-session.ts')

labSuite('psql over an outage', { programs: [...postgresPrograms, 'ip'], root: true }, () => {
  const own = ownedBySuite()
  let postgres: Postgres
  let network: Network
  let hub: RunningCli
  let restartHub: () => Promise<void>
  let agent: Home
  let port: number
  let expected: string

  beforeAll(async () => {
    postgres = own(await startPostgres(), (it) => it.stop())
    network = own(await Network.start(), (it) => it.stop())
    const homes = ['hub', 'agent', 'client'].map((name) => own(makeHome(name), (home) => home.remove()))
    const [hubHome, client] = [homes[0]!, homes[2]!]
    agent = homes[1]!
    let listen = `${network.host}:0`
    restartHub = async () => {
      hub = startConnect(hubHome, ['hub', '--listen', listen, '--insecure'])
      const [, address] = await hub.printed(/listening on http:\/\/(\S+)/)
      listen = address!
    }
    await restartHub()
    own(null, () => hub.stop())
    for (const home of [agent, client]) {
      const token = (await connectOk(hubHome, ['hub', 'token', 'create'])).trim()
      const env = { PRIVATECONNECT_TOKEN: token }
      await connectOk(home, ['login', '--hub', `http://${listen}`, '--insecure', '--label', 'lab'], { env })
    }
    await connectOk(agent, ['daemon', 'start'])
    own(agent, (home) => connectOk(home, ['daemon', 'stop']))
    await connectOk(agent, ['expose', `127.0.0.1:${postgres.port}`, '--name', 'postgres'])
    const reach = own(
      there([process.execPath, runJs, 'reach', 'postgres', '--port', '0'], client.env),
      (it) => it.stop(),
    )
    port = Number((await reach.printed(/is at \S+:(\d+)/))[1])
    await reach.printed(/Connected to hub/)
    const direct = new Copy(spawn(PSQL, psqlArgs(postgres.port, '-c', COPY)))
    expected = await direct.sha256()
    expect(direct.bytes).toBe(COPY_BYTES)
  })

  /** Starts a command on the far side of the cable. */
  function there(command: readonly string[], env?: NodeJS.ProcessEnv): RunningCli {
    const [program, ...args] = [...network.prefix, ...command] as [string, ...string[]]
    return new RunningCli(spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }), command.join(' '))
  }

  function spawnPsql(...args: string[]) {
    const [program, ...before] = network.prefix
    return spawn(program, [...before, PSQL, ...psqlArgs(port, ...args)])
  }

  /** A session in the middle of a transaction. */
  async function openTransaction(): Promise<{ session: ReturnType<typeof spawnPsql>; cli: RunningCli }> {
    const session = spawnPsql('-v', 'ON_ERROR_STOP=1')
    const cli = new RunningCli(session, 'psql')
    session.stdin.on('error', () => {})
    session.stdin.write('begin;\ncreate temp table t (x int);\ninsert into t values (42);\nselect 4711;\n')
    await cli.printed(/^4711$/m)
    return { session, cli }
  }

  /** @param lose takes the way between psql and PostgreSQL away, which `restore` gives back after `outMs` */
  async function survives(lose: () => unknown, restore: () => unknown, outMs = 0): Promise<void> {
    const { session, cli } = await openTransaction()
    const copy = new Copy(spawnPsql('-c', COPY))
    await copy.flows(FLOWING_BYTES)
    await lose()
    await sleep(outMs)
    // Most of it is still to come.
    expect(copy.bytes).toBeLessThan(COPY_BYTES / 2)
    await restore()
    expect(await copy.sha256()).toBe(expected)
    session.stdin.end("select 'sum ' || sum(x) from t;\ncommit;\n")
    await cli.printed(/^sum 42$/m)
    expect(await cli.exited).toMatchObject({ code: 0 })
  }

  test('an open transaction and a copy of 1 GB go on over a hub that is killed and started again', () =>
    survives(() => hub.stop('SIGKILL'), restartHub))

  test('an open transaction and a copy of 1 GB go on over a cable that is out for 20 s', () =>
    survives(
      () => network.unplug(),
      () => network.plug(),
      20_000,
    ))

  test('an open transaction and a copy of 1 GB go on over an agent that stands still for 20 s', () => {
    const pid = Number(readFileSync(agent.file('daemon.pid'), 'utf8'))
    return survives(
      () => process.kill(pid, 'SIGSTOP'),
      () => process.kill(pid, 'SIGCONT'),
      20_000,
    )
  })

  test('a cable that is out for 40 s is a reset at both ends', async () => {
    const { session, cli } = await openTransaction()
    const idle = own(there([process.execPath, IDLE_SESSION, String(port)]), (it) => it.stop())
    await idle.printed(/^open$/m)
    const copy = new Copy(spawnPsql('-c', COPY))
    await copy.flows(FLOWING_BYTES)
    await network.unplug()
    await sleep(40_000)
    await network.plug()
    await idle.printed(/^ECONNRESET$/m)
    expect(await copy.exitCode).not.toBe(0)
    session.stdin.end('select sum(x) from t;\n')
    expect((await cli.exited).code).not.toBe(0)
    expect(cli.output).not.toContain('42\n')
    const resets = () =>
      postgres.log().match(/could not (receive data from|send data to) client: Connection reset by peer/g)
    await until(() => resets()?.length === 3, { timeoutMs: 60_000, everyMs: 500 })
    expect(resets()).toHaveLength(3)
    const transactions = 'select count(*) from pg_stat_activity where xact_start < now()'
    expect(await psql(postgres.port, transactions)).toBe('0')
  })
})

function psqlArgs(port: number, ...args: string[]): string[] {
  return ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '--no-psqlrc', '-At', ...args, 'postgres']
}
