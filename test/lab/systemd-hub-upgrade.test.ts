import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { echoServer, echoed } from '../helpers/servers.ts'
import { freePort } from '../helpers/free-port.ts'
import { HundredStreams } from './helpers/hundred-streams.ts'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { Packages } from './helpers/package.ts'
import { postgresPrograms, startPostgres } from './helpers/postgres.ts'
import { labSuite } from './helpers/suite.ts'

const UP = '/opt/upgraded'
const needs = { ...machineNeeds, programs: [...machineNeeds.programs!, ...postgresPrograms, 'npm'] }

interface Status {
  readonly version: string
  readonly pid: number
}

labSuite('a hub that is started anew under 100 streams', needs, () => {
  const own = ownedBySuite()
  let packages: Packages
  let machine: Machine
  /** Of the kept reaches. */
  let ports: { echo: number; postgres: number }
  let streams: HundredStreams

  beforeAll(async () => {
    packages = own(await Packages.make(), (it) => it.remove())
    await packages.install(packages.before)
    const postgres = own(await startPostgres(), (it) => it.stop())
    const echo = own(await echoServer(), (it) => it.close())
    const folders = { [packages.prefix]: UP }
    machine = own(await Machine.start({ polkit: true, folders }), (it) => it.stop())
    await ok(`hub install --no-join --listen 0.0.0.0:${await freePort()}`)
    // Two machines, though they share a disk: the one offers, the other holds the ports.
    for (const config of ['offers', 'holds']) {
      const env = { PRIVATECONNECT_TOKEN: (await ok('hub token create --invite')).trim() }
      await ok(`login --label ${config} --config .${config}/${config}.json`, env)
      await ok(`daemon install --config .${config}/${config}.json`)
    }
    await ok(`expose ${echo.port} --name echo --config .offers/offers.json`)
    await ok(`expose ${postgres.port} --name postgres --config .offers/offers.json`)
    ports = { echo: await keep('echo'), postgres: await keep('postgres') }
  }, MACHINE_START_MS)

  beforeEach(async () => {
    streams = await HundredStreams.open(ports)
    onTestFinished(() => streams.close())
  })

  async function ok(line: string, env: Record<string, string> = {}): Promise<string> {
    return machine.runOk(`mkdir -p .offers .holds; ${UP}/bin/connect ${line}`, { env, timeoutMs: 100_000 })
  }

  async function keep(name: string): Promise<number> {
    const kept = await ok(`reach ${name} --keep --port ${await freePort()} --config .holds/holds.json`)
    return Number(/is kept at localhost:(\d+)/.exec(kept)![1])
  }

  const hub = async () => JSON.parse(await ok('hub status --json')) as Status

  test('by hub restart breaks none', async () => {
    const { pid } = await hub()
    await ok('hub restart')
    console.log('hub restart: answers took up to %d to %d ms', ...(await streams.goOn()))
    expect((await hub()).pid).not.toBe(pid)
  })

  test('for another version breaks none, with agents that are still of the one before', async () => {
    const { version } = await hub()
    await packages.install(packages.now)
    expect(await ok('hub status')).toContain('connect hub restart')
    // Of a process whose program has been replaced below it.
    expect(await echoed(ports.echo, 'a new one')).toBe('a new one')
    await ok('hub restart')
    console.log('upgrade: answers took up to %d to %d ms', ...(await streams.goOn()))
    expect((await hub()).version).not.toBe(version)
    expect(await echoed(ports.echo, 'another')).toBe('another')
    for (const config of ['offers', 'holds']) await ok(`daemon restart --config .${config}/${config}.json`)
    await expect
      .poll(() => echoed(ports.echo, 'all anew').catch(() => ''), { timeout: 30_000 })
      .toBe('all anew')
  })
})
