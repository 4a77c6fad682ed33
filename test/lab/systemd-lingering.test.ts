import { beforeAll, expect, test } from 'vitest'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare, SystemdScene } from './helpers/systemd-scene.ts'

labSuite('the service of systemd, where a user may not linger', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own)
    await scene.join()
  }, MACHINE_START_MS)

  test('install warns, with the one command, and says on login', async () => {
    const { code, stdout, stderr } = await scene.daemon('install')
    expect(code).toBe(0)
    expect(stdout).toContain('  The agent will now start automatically on login.\n')
    expect(stderr).toBe(
      '[!] It starts only when you log in, and stops when you log out ' +
        '(loginctl enable-linger failed: Could not enable linger: Access denied). ' +
        'To have it start on boot, run: sudo loginctl enable-linger "$USER"\n',
    )
    expect((await scene.status()).autostart).toBe('login')
  })

  test('and that is true: it ends at logout, is not there after a reboot, and starts at login', async () => {
    await scene.machine.login()
    await scene.machine.logoutAll()
    expect(await scene.agents()).toEqual([])
    expect(await scene.status(bare)).toMatchObject({ status: 'stopped', installed: true, autostart: 'login' })
    await scene.machine.reboot()
    expect(await scene.agents()).toEqual([])
    await scene.machine.login()
    await scene.answers()
  })

  test('to ask for it oneself is refused there, and the command of the warning fixes it', async () => {
    expect(await scene.machine.run('loginctl enable-linger $USER')).toMatchObject({
      code: 1,
      stderr: 'Could not enable linger: Access denied\n',
    })
    // The shell of the user puts the name in, and sudo runs it as root.
    await scene.machine.runOk('USER=dev; loginctl enable-linger "$USER"', asRoot)
    expect(await scene.daemon('install')).toMatchObject({ code: 0, stderr: '' })
    expect((await scene.status()).autostart).toBe('boot')
    await scene.machine.reboot()
    await scene.answers()
    await scene.daemonOk('uninstall')
    // root has allowed it, not we.
    expect(await scene.machine.lingers()).toBe(true)
    await scene.machine.setLinger(false)
  })

  test('without a manager and without the right to have one, install says so and changes nothing', async () => {
    await scene.machine.logoutAll()
    const before = await scene.homeFiles()
    expect(await scene.daemon('install', bare)).toMatchObject({
      code: 1,
      stderr:
        '[x] Your user has no systemd of its own running (no user manager)\n' +
        '  It could not be started: loginctl enable-linger failed: Could not enable linger: Access denied\n' +
        '  Log in properly, not by su or sudo, or run: sudo loginctl enable-linger "$USER"\n',
    })
    expect(await scene.homeFiles()).toBe(before)
  })
})
