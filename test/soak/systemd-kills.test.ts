import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { MACHINE_START_MS, machineNeeds } from '../lab/helpers/machine.ts'
import { ownedBySuite } from '../lab/helpers/owned.ts'
import { labSuite } from '../lab/helpers/suite.ts'
import { asRoot, SystemdScene } from '../lab/helpers/systemd-scene.ts'
import { soakSuite } from './helpers/soak.ts'

soakSuite('kills in a row of an agent that systemd keeps', ({ random, length }) => {
  labSuite('on a machine with systemd', machineNeeds, () => {
    const own = ownedBySuite()
    let scene: SystemdScene

    beforeAll(async () => {
      scene = await SystemdScene.start(own, { polkit: true })
      await scene.join()
      await scene.daemonOk('install')
    }, MACHINE_START_MS)

    test('bring another one each time, whose service answers', async () => {
      // systemd waits 10 s before each start.
      const kills = length({ short: 3, long: 20 })
      let [pid] = await scene.agents()
      const pids = new Set([pid])
      for (let restarts = 1; restarts <= kills; restarts++) {
        await sleep(random.between(0, 2000))
        await scene.machine.runOk(`kill -KILL ${pid}`, asRoot)
        pid = await scene.agentOtherThan(pid!)
        await scene.answers()
        expect(await scene.agents()).toEqual([pid])
        expect(await scene.status()).toMatchObject({ status: 'running', pid, restarts, notes: [] })
        pids.add(pid)
      }
      expect(pids.size).toBe(kills + 1)
    })
  })
})
