import { beforeAll, expect, test } from 'vitest'
import { MACHINE_START_MS } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare } from './helpers/systemd-scene.ts'
import { managerStartedAt } from './helpers/boot-clock.ts'
import { ThreeMachines, threeMachinesNeed, type Host } from './helpers/three-machines.ts'

/**
 * How often each order is gone through; every second time each is up again before the next one reboots, else
 * the power of all is cut first.
 */
const ROUNDS = Math.max(1, Number(process.env.LAB_ROUNDS) || 1)

/** From the start of the last user manager on. */
const ANSWERS_WITHIN_MS = 20_000
/** Where the hub is last: an agent tries again every 30 s at the latest. */
const HUB_LAST_WITHIN_MS = 35_000

const ORDERS: readonly (readonly Host[])[] = [
  ['hub', 'server', 'laptop'],
  ['laptop', 'server', 'hub'],
  ['server', 'hub', 'laptop'],
  ['hub', 'laptop', 'server'],
  ['server', 'laptop', 'hub'],
  ['laptop', 'hub', 'server'],
]

labSuite('a hub, a server and a laptop, which boot while nobody logs in', threeMachinesNeed, () => {
  const own = ownedBySuite()
  let scene: ThreeMachines
  /** Of the kept reach. */
  let port: number

  beforeAll(async () => {
    scene = await ThreeMachines.start(own)
    const { hub, server, laptop } = scene.machines
    await hub.connectOk(['hub', 'install', '--listen', '0.0.0.0:7700'])
    for (const machine of [server, laptop]) {
      const invite = await hub.connectOk(['hub', 'token', 'create', '--invite'])
      await machine.connectOk(['login'], { env: { PRIVATECONNECT_TOKEN: invite.trim() } })
      await machine.connectOk(['daemon', 'install'])
    }
    await server.connectOk(['expose', String(scene.postgres.port), '--name', 'postgres'])
    const kept = await laptop.connectOk(['reach', 'postgres', '--keep'], bare)
    port = Number(/^\[ok\] postgres is kept at localhost:(\d+)$/m.exec(kept)![1])
    await scene.answers(port)
  }, MACHINE_START_MS)

  test.each(ORDERS.map((order) => ({ order, title: order.join(', ') })))(
    'answer psql after a boot of $title',
    { timeout: ROUNDS * 300_000 },
    async ({ order }) => {
      const took: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const machines = order.map((host) => scene.machines[host])
        const areCut = round % 2 === 0
        if (areCut) for (const machine of machines) await machine.cutPower()
        for (const machine of machines) await (areCut ? machine.boot() : machine.reboot())
        const answeredAt = await scene.answers(port)
        took.push(answeredAt - Math.max(...(await Promise.all(machines.map(managerStartedAt)))))
      }
      console.log(
        `${order.join(', ')}: answered after ${took.map((ms) => (ms / 1000).toFixed(1)).join(', ')} s`,
      )
      for (const machine of scene.all)
        expect(await machine.runOk('loginctl --no-legend list-sessions', asRoot)).toBe('')
      expect(Math.max(...took)).toBeLessThan(order.at(-1) === 'hub' ? HUB_LAST_WITHIN_MS : ANSWERS_WITHIN_MS)
    },
  )
})
