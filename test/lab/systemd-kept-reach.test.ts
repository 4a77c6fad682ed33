import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { until } from '../helpers/until.ts'
import { takesClients, WatchedPort } from '../helpers/watched-port.ts'
import { World } from '../helpers/world.ts'
import { managerStartedAt, monotonicMs } from './helpers/boot-clock.ts'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { postgresPrograms, psql, startPostgres, type Postgres } from './helpers/postgres.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare } from './helpers/systemd-scene.ts'

/** How often each order is gone through; every second time the power is cut instead. */
const ROUNDS = Math.max(1, Number(process.env.LAB_ROUNDS) || 1)

/** From the start of the last user manager on. */
const ANSWERS_WITHIN_MS = 20_000
/** From when a hub listens that was away: an agent tries again every 30 s at the latest. */
const HUB_BACK_WITHIN_MS = 35_000

const needs = { ...machineNeeds, programs: [...machineNeeds.programs!, ...postgresPrograms] }

labSuite('a kept reach, on machines that boot while nobody logs in', needs, () => {
  const own = ownedBySuite()
  let world: World
  let postgres: Postgres
  let server: Machine
  let laptop: Machine
  /** Of the kept reach. */
  let port: number

  beforeAll(async () => {
    world = own(await World.start(), (it) => it.stop())
    postgres = own(await startPostgres(), (it) => it.stop())
    server = own(await Machine.start(), (it) => it.stop())
    laptop = own(await Machine.start(), (it) => it.stop())
    for (const machine of [server, laptop]) {
      const env = { CONNECT_HUB_URL: world.hubUrl, PRIVATECONNECT_TOKEN: await world.joinToken() }
      await machine.connectOk(['login', '--label', machine.name], { ...bare, env })
      await machine.setLinger(true)
      await machine.connectOk(['daemon', 'install'], bare)
    }
    await server.connectOk(['expose', `127.0.0.1:${postgres.port}`, '--name', 'postgres'], bare)
    const kept = await laptop.connectOk(['reach', 'postgres', '--keep'], bare)
    port = Number(/^\[ok\] postgres is kept at localhost:(\d+)$/m.exec(kept)![1])
    await answers()
  }, MACHINE_START_MS)

  /** Waits until psql has its answer. @returns when that was, in ms of the clock that all machines share */
  async function answers(): Promise<number> {
    const ask = async () => (await psql(port, 'select 6 * 7').catch(() => '')) === '42' || undefined
    expect(await waitFor(ask, { timeoutMs: 120_000, everyMs: 100 })).toBe(true)
    return monotonicMs()
  }

  async function restart(machine: Machine, round: number): Promise<void> {
    if (round % 2 === 0) return machine.reboot()
    await machine.cutPower()
    await machine.boot()
  }

  const orders: readonly { title: string; machines: readonly ('server' | 'laptop')[]; atOnce?: true }[] = [
    { title: 'the server', machines: ['server'] },
    { title: 'the laptop', machines: ['laptop'] },
    { title: 'the server, then the laptop', machines: ['server', 'laptop'] },
    { title: 'the laptop, then the server', machines: ['laptop', 'server'] },
    { title: 'both at once', machines: ['server', 'laptop'], atOnce: true },
  ]
  const times = { timeout: ROUNDS * 300_000 }

  test.each(orders)('answers psql after a boot of $title', times, async ({ title, machines, atOnce }) => {
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const clients = new WatchedPort(port)
      const restarted = machines.map((name) => (name === 'server' ? server : laptop))
      if (atOnce) await Promise.all(restarted.map((machine) => restart(machine, round)))
      else for (const machine of restarted) await restart(machine, round)
      const answeredAt = await answers()
      took.push(answeredAt - Math.max(...(await Promise.all([server, laptop].map(managerStartedAt)))))
      const isAwayOnce = machines.includes('laptop')
      expect(await clients.stop()).toEqual(isAwayOnce ? [true, false, true] : [true])
    }
    report(title, took)
    for (const machine of [server, laptop])
      expect(await machine.runOk('loginctl --no-legend list-sessions', asRoot)).toBe('')
    expect(Math.max(...took)).toBeLessThan(ANSWERS_WITHIN_MS)
  })

  test('answers psql when the hub comes back last', times, async () => {
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await world.hub.stop(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
      await Promise.all([server, laptop].map((machine) => restart(machine, round)))
      // No hub is needed to hold it.
      await until(() => takesClients(port), { everyMs: 50 })
      const clients = new WatchedPort(port)
      // The longer, the more rarely do they try again.
      await sleep(3000 + round * 2000)
      await world.restartHub()
      const began = monotonicMs()
      took.push((await answers()) - began)
      expect(await clients.stop()).toEqual([true])
    }
    report('the hub comes back last', took)
    expect(Math.max(...took)).toBeLessThan(HUB_BACK_WITHIN_MS)
  })
})

function report(title: string, took: readonly number[]): void {
  const seconds = took.map((ms) => (ms / 1000).toFixed(1))
  console.log(`${title}: answered after ${seconds.join(', ')} s`)
}
