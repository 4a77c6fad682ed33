import { beforeAll, beforeEach, expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, DROP_IN, SystemdScene } from './helpers/systemd-scene.ts'

labSuite('the service of systemd, when its agent ends by itself', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own)
    await scene.join()
  }, MACHINE_START_MS)

  beforeEach(() => scene.reset())

  test('an agent that is killed comes back by itself, three times in a row', async () => {
    await scene.daemonOk('install')
    for (let round = 1; round <= 3; round++) {
      const { pid } = await scene.status()
      await scene.machine.runOk(`kill -KILL ${pid}`, asRoot)
      const next = await scene.agentOtherThan(pid!)
      await scene.answers()
      expect(await scene.status({}, ' --wait 30s')).toMatchObject({
        status: 'running',
        pid: next,
        restarts: round,
      })
    }
  })

  test('how it ended is known while it waits for its next start, and after it', async () => {
    await scene.daemonOk('install')
    const { pid } = await scene.status()
    const killedAt = Date.now()
    await scene.machine.runOk(`kill -KILL ${pid}`, asRoot)
    const waiting = await waitFor(
      async () => {
        const status = await scene.status()
        return status.status === 'restarting' ? status : undefined
      },
      { timeoutMs: 8000 },
    )
    const seen = {
      reason: 'ended by SIGKILL',
      code: null,
      signal: 'SIGKILL',
      at: expect.any(String) as string,
    }
    expect(waiting?.lastExit).toMatchObject(seen)
    expect(Math.abs(Date.parse(waiting!.lastExit!.at!) - killedAt)).toBeLessThan(5000)
    await scene.agentOtherThan(pid!)
    expect((await scene.status({}, ' --wait 30s')).lastExit).toEqual(waiting?.lastExit)
  })

  test('an agent whose event loop is blocked is ended by its watchdog, and comes back', async () => {
    const blocking = '/opt/private-connect/test/fixtures/programs/block-on-sigusr2.mjs'
    await scene.machine.write(DROP_IN, `[Service]\nEnvironment="NODE_OPTIONS=--import=${blocking}"\n`)
    await scene.daemonOk('install')
    const { pid } = await scene.status()
    await scene.machine.runOk(`kill -USR2 ${pid}`)
    const next = await waitFor(async () => (await scene.agents()).find((it) => it !== pid), {
      timeoutMs: 120_000,
      everyMs: 500,
    })
    expect(next).toBeDefined()
    await scene.answers()
    expect(await scene.status()).toMatchObject({
      pid: next,
      restarts: 1,
      lastExit: { reason: 'its event loop was blocked, and its watchdog ended it' },
    })
  })
})
