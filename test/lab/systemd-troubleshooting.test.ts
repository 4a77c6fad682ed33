import { beforeAll, expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, SystemdScene } from './helpers/systemd-scene.ts'

labSuite('the usual troubleshooting, typed after a login', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own, { polkit: true })
    await scene.join()
    await scene.daemonOk('install')
    await scene.answers()
  }, MACHINE_START_MS)

  /** And nobody logs in. */
  async function rebootAndAnswer(): Promise<void> {
    await scene.machine.reboot()
    await scene.answers()
    expect(await scene.machine.runOk('loginctl --no-legend list-sessions', asRoot)).toBe('')
  }

  test('connect daemon logs: what the agent does, and by grep whether it loses its hub', async () => {
    expect(await scene.machine.runOk('connect daemon logs')).toContain(
      '[ok] Connected to hub via WebSocket\n',
    )
    const reconnections = 'connect daemon logs | grep -i reconnect'
    expect(await scene.machine.run(reconnections)).toMatchObject({ code: 1, stdout: '', stderr: '' })
    await scene.world.hub.stop()
    const lost = async () => (await scene.machine.run(reconnections)).code === 0 || undefined
    expect(await waitFor(lost, { timeoutMs: 30_000 })).toBe(true)
    await scene.world.restartHub()
    await scene.answers()
    expect(await scene.machine.runOk(reconnections)).toMatch(
      /^\[.*\. Reconnecting (?:in \d+\.\d s|at once)\n[^]*\[ok\] Reconnected to hub via WebSocket\n$/,
    )
  })

  test('loginctl enable-linger $USER: what started on login starts on boot', async () => {
    await scene.machine.login()
    await scene.machine.setLinger(false)
    expect((await scene.status()).autostart).toBe('login')
    await scene.machine.runOk('loginctl enable-linger $USER')
    expect((await scene.status()).autostart).toBe('boot')
    await rebootAndAnswer()
  })

  test('systemctl --user status and enable: what was disabled by hand says so, and starts again by itself', async () => {
    const { machine } = scene
    const status = () => machine.run('systemctl --user status private-connect')
    expect(await status()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /Loaded: loaded \(.*\/private-connect\.service; enabled; .*\n +Active: active \(running\) since /,
      ) as string,
    })
    await machine.runOk('systemctl --user disable private-connect')
    await machine.reboot()
    await machine.login()
    expect(await scene.agents()).toEqual([])
    expect(await status()).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(
        /Loaded: loaded \(.*\/private-connect\.service; disabled; .*\n +Active: inactive \(dead\)\n/,
      ) as string,
    })
    expect(await scene.status()).toMatchObject({ status: 'stopped', autostart: 'never' })
    await machine.runOk('systemctl --user enable private-connect')
    expect((await scene.status()).autostart).toBe('boot')
    await rebootAndAnswer()
  })
})
