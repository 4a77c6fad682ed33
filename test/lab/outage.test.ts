import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { waitFor } from '../../src/process/wait.ts'
import { connectOk, RunningCli, runJs, startConnect } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { Network } from './helpers/network.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { postgresPrograms, psql, startPostgres, type Postgres } from './helpers/postgres.ts'
import { labSuite } from './helpers/suite.ts'

const PSQL = postgresPrograms[2]!
const COPY = 'copy (select md5(i::text) from generate_series(1, 2000000) i) to stdout'
const COPY_BYTES = 33 * 2_000_000

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
    const all = await psql(postgres.port, COPY)
    expected = createHash('sha256').update(`${all}\n`).digest('hex')
  })

  /** Starts a command on the far side of the cable. */
  function there(command: readonly string[], env?: NodeJS.ProcessEnv): RunningCli {
    const [program, ...args] = [...network.prefix, ...command] as [string, ...string[]]
    return new RunningCli(spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }), command.join(' '))
  }

  function spawnPsql(...args: string[]) {
    const connection = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '--no-psqlrc', '-At']
    const [program, ...before] = network.prefix
    return spawn(program, [...before, PSQL, ...connection, ...args, 'postgres'])
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

  /** A copy in full flow. Its reader stands still until `finish`. */
  async function startCopy(): Promise<{ finish: () => Promise<string> }> {
    const copy = spawnPsql('-c', COPY)
    const hash = createHash('sha256')
    let bytes = 0
    const { promise: flowing, resolve } = Promise.withResolvers<void>()
    copy.stdout.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      bytes += chunk.length
      if (bytes < 3_000_000 || bytes - chunk.length >= 3_000_000) return
      copy.stdout.pause()
      resolve()
    })
    let errors = ''
    copy.stderr.on('data', (text: Buffer) => (errors += String(text)))
    const ended = once(copy, 'close')
    await flowing
    return {
      async finish() {
        copy.stdout.resume()
        const [code] = (await ended) as [number]
        expect([code, errors, bytes]).toEqual([0, '', COPY_BYTES])
        return hash.digest('hex')
      },
    }
  }

  async function survives(outage: () => Promise<void>): Promise<void> {
    const { session, cli } = await openTransaction()
    const copy = await startCopy()
    await outage()
    expect(await copy.finish()).toBe(expected)
    session.stdin.end("select 'sum ' || sum(x) from t;\ncommit;\n")
    await cli.printed(/^sum 42$/m)
    expect(await cli.exited).toMatchObject({ code: 0 })
  }

  test('an open transaction and a large copy go on over a hub that is killed and started again', () =>
    survives(async () => {
      await hub.stop('SIGKILL')
      await restartHub()
    }))

  test('an open transaction and a large copy go on over a cable that is out for 20 s', () =>
    survives(async () => {
      await network.unplug()
      await sleep(20_000)
      await network.plug()
    }))

  test('an open transaction and a large copy go on over an agent that stands still for 20 s', () =>
    survives(async () => {
      const pid = Number(readFileSync(agent.file('daemon.pid'), 'utf8'))
      process.kill(pid, 'SIGSTOP')
      await sleep(20_000)
      process.kill(pid, 'SIGCONT')
    }))

  test('a cable that is out for 40 s is a reset at both ends', async () => {
    const { session, cli } = await openTransaction()
    await network.unplug()
    await sleep(40_000)
    await network.plug()
    session.stdin.end('select sum(x) from t;\n')
    expect((await cli.exited).code).not.toBe(0)
    expect(cli.output).not.toContain('42\n')
    const sessions = "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
    const isGone = await waitFor(
      async () => ((await psql(postgres.port, sessions)) === '0' ? true : undefined),
      {
        timeoutMs: 60_000,
        everyMs: 500,
      },
    )
    expect(isGone).toBe(true)
  })
})
