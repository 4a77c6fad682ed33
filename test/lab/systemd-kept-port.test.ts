import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { echoed } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare, SystemdScene } from './helpers/systemd-scene.ts'

const REBOOTS = 3

labSuite('a port that the service of systemd keeps', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene
  let port: number

  beforeAll(async () => {
    scene = await SystemdScene.start(own, { polkit: true })
    await scene.join()
    await scene.daemonOk('install')
    const kept = await scene.machine.connectOk(['reach', 'echo', '--keep', '--json'], bare)
    port = (JSON.parse(kept) as { reach: { port: number } }).reach.port
  }, MACHINE_START_MS)

  /** @returns how long it took, in ms */
  async function answered(): Promise<number> {
    const began = performance.now()
    await until(async () => (await echoed(port, 'hello').catch(() => '')) === 'hello', {
      timeoutMs: 60_000,
      everyMs: 100,
    })
    return performance.now() - began
  }

  test('answers after a reboot, before anyone has logged in', async () => {
    await answered()
    for (let n = 0; n < REBOOTS; n++) {
      await scene.machine.reboot()
      expect(await answered()).toBeLessThan(20_000)
    }
    expect(await scene.machine.runOk('loginctl --no-legend list-sessions', asRoot)).toBe('')
  })

  test('is held while the hub is away, and answers soon after that is back', async () => {
    await scene.world.hub.stop()
    await scene.machine.cutPower()
    await scene.machine.boot()
    await until(async () => {
      const socket = dial(port, '127.0.0.1')
      const isHeld = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      socket.destroy()
      return isHeld
    })
    await scene.world.restartHub()
    expect(await answered()).toBeLessThan(35_000)
  })
})
