import { beforeAll, beforeEach, expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { connectOk } from '../helpers/cli.ts'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { DROP_IN, SystemdScene } from './helpers/systemd-scene.ts'

labSuite('the service of systemd, when it is to stay down', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own)
    await scene.join()
  }, MACHINE_START_MS)

  beforeEach(() => scene.reset())

  async function statusSays(expected: object): Promise<void> {
    const look = async () => {
      const status = await scene.status()
      return expect.objectContaining(expected).asymmetricMatch(status) || undefined
    }
    if (!(await waitFor(look, { timeoutMs: 60_000, everyMs: 500 })))
      expect(await scene.status()).toMatchObject(expected)
  }

  test('after stop nothing starts it', async () => {
    await scene.daemonOk('install')
    await scene.answers()
    await scene.daemonOk('stop')
    await scene.staysDown(30)
    expect(await scene.status()).toMatchObject({ status: 'stopped', reason: null, installed: true })
    await scene.daemonOk('start')
    await scene.answers()
  })

  test('a crash loop is told, with how often, and what has a say on it; stop ends it', async () => {
    await scene.daemonOk('install')
    await scene.breakProgram()
    expect(await scene.daemon('restart')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^\[x\] Daemon failed to start: Process exited with code 1\n {2}Check logs: ~\/\.privateconnect\/daemon\.log\n[^]* code: 'MODULE_NOT_FOUND'/,
      ) as string,
    })
    await statusSays({ status: 'restarting', restarts: 1 })
    expect(await scene.status()).toMatchObject({
      reason:
        'It ended, and is started again after 10 s: Process exited with code 1, started again once so far',
      notes: [`Settings of your own apply: ~/${DROP_IN}`],
    })
    expect(await scene.daemonOk('stop')).toBe('[ok] Daemon stopped\n')
    await scene.staysDown(11)
    expect(await scene.status()).toMatchObject({ status: 'stopped', pid: null })
    await scene.machine.runOk(`rm -r ${DROP_IN} && systemctl --user daemon-reload`)
    await scene.daemonOk('start')
    await scene.answers()
  })

  // The last one: the machine is shut out from then on.
  test('an agent that only a human can help stays down, and status says why and what to do', async () => {
    await scene.daemonOk('install')
    const { agentId } = JSON.parse(await scene.machine.connectOk(['whoami', '--json'])) as { agentId: string }
    await connectOk(scene.world.hubHome, ['hub', 'agent', 'revoke', agentId])
    await statusSays({ status: 'stopped', reason: 'It stays down: Process exited with code 78' })
    await scene.staysDown(12)
    const { lastExit, restarts } = await scene.status()
    expect({ code: lastExit?.code, restarts }).toEqual({ code: 78, restarts: 0 })
    expect(await scene.daemonOk('status')).toContain(`    ${lastExit?.fix}\n`)
    expect(await scene.daemon('start')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('[x] Daemon failed to start: Process exited with code 78\n') as string,
    })
    expect(await scene.daemon('uninstall')).toMatchObject({ code: 0, stderr: '' })
    expect(await scene.failedUnits()).toBe('')
  })
})
