import { beforeAll, expect, test } from 'vitest'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare, SystemdScene, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'

const COMMANDS = `
  Commands:
    Status:    connect daemon status
    Logs:      connect daemon logs
    Stop:      connect daemon stop
    Uninstall: connect daemon uninstall
`

labSuite('the service of systemd, where a user may linger', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene
  let before: string

  beforeAll(async () => {
    scene = await SystemdScene.start(own, { polkit: true })
    before = await scene.homeFiles()
    await scene.join()
  }, MACHINE_START_MS)

  test('--dry-run prints the unit and the commands, and touches nothing', async () => {
    const { code, stdout, stderr } = await scene.daemon('install --dry-run')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Would write ~/${UNIT_FILE}:\n`)
    expect(stdout).toContain('  systemctl --user daemon-reload\n')
    expect(stdout).toContain('  loginctl enable-linger dev\n')
    expect(await scene.homeFiles()).toBe(before)
    expect(await scene.agents()).toEqual([])
  })

  test('install prints its lines to the letter, and the service answers', async () => {
    expect(await scene.daemon('install')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `🔧 Installing Private Connect daemon...

  Created: ~/${UNIT_FILE}

[ok] Daemon installed and started
  The agent will now start automatically on boot.
${COMMANDS}`,
    })
    expect(await scene.machine.lingers()).toBe(true)
    await scene.answers()
    const planned = JSON.parse(await scene.daemonOk('install --dry-run --json')) as {
      plan: { files: { content: string }[] }
    }
    expect(planned).toMatchObject({ installed: true, change: 'unchanged', autostart: 'boot' })
    expect(await scene.daemonOk('install --dry-run')).toMatch(/^Unchanged: ~\/.*\n\n.*nothing to do\.\n$/)
    expect(await scene.machine.read(UNIT_FILE)).toBe(planned.plan.files[0]!.content)
  })

  test('installed again nothing changes, and nothing is started anew', async () => {
    const { pid } = await scene.status()
    const { code, stdout } = await scene.daemon('install')
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('[ok] Daemon already installed and running\n') as string,
    })
    expect(await scene.status()).toMatchObject({ pid, restarts: 0, notes: [] })
  })

  test('status tells all of it', async () => {
    expect(await scene.daemonOk('status')).toMatch(
      /● Status: running\n {4}PID: \d+\n {4}Service installed: yes\n {4}Platform: linux\n/,
    )
    expect(await scene.status()).toMatchObject({
      status: 'running',
      reason: null,
      installed: true,
      autostart: 'boot',
      manager: { name: 'systemd' },
    })
  })

  test('when everyone has logged out it stays', async () => {
    const { pid } = await scene.status()
    await scene.machine.login()
    await scene.machine.logoutAll()
    expect(await scene.agents()).toEqual([pid])
    await scene.answers()
  })

  test('after a reboot it is up before anyone logs in', async () => {
    await scene.machine.reboot()
    await scene.answers()
    expect(await scene.machine.runOk('loginctl --no-legend list-sessions', asRoot)).toBe('')
  })

  test('stop stops the service, and start starts it', async () => {
    expect(await scene.daemon('stop')).toMatchObject({ code: 0, stdout: '[ok] Daemon stopped\n', stderr: '' })
    expect(await scene.agents()).toEqual([])
    expect(await scene.status()).toMatchObject({ status: 'stopped', reason: null, installed: true })
    expect(await scene.daemonOk('start')).toMatch(/^🚀 .*\n\n\[ok\] Daemon started \(PID: \d+\)\n/)
    expect(await scene.machine.runOk(`systemctl --user is-active ${UNIT}`)).toBe('active\n')
    await scene.answers()
  })

  test('restart puts another process in its place', async () => {
    const { pid } = await scene.status()
    expect(await scene.daemonOk('restart')).toMatch(
      /^\[ok\] Daemon stopped\n\[ok\] Daemon started\n {2}PID: \d+\n/,
    )
    expect((await scene.status()).pid).not.toBe(pid)
  })

  test('an environment of cron’s does for all of it', async () => {
    for (const action of ['status', 'restart', 'stop', 'start', 'install']) {
      expect(await scene.daemon(action, bare)).toMatchObject({ code: 0, stderr: '' })
    }
    await scene.answers()
  })

  test('uninstall leaves the home folder, the units and lingering as they were', async () => {
    expect(await scene.daemon('uninstall')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `🔧 Uninstalling Private Connect daemon...

  Removed: ~/${UNIT_FILE}

[ok] Daemon uninstalled
`,
    })
    expect(await scene.agents()).toEqual([])
    expect(await scene.homeFiles()).toBe(before)
    expect(await scene.failedUnits()).toBe('')
    expect(await scene.machine.lingers()).toBe(false)
    expect(await scene.status()).toMatchObject({ status: 'stopped', installed: false, autostart: 'never' })
  })

  test('lingering that was on before stays on', async () => {
    await scene.machine.setLinger(true)
    await scene.daemonOk('install')
    await scene.daemonOk('uninstall')
    expect(await scene.machine.lingers()).toBe(true)
    await scene.machine.setLinger(false)
  })

  test('a user who is nowhere logged in gets a manager by lingering', async () => {
    await scene.machine.logoutAll()
    expect(await scene.daemon('install', bare)).toMatchObject({ code: 0, stderr: '' })
    await scene.answers()
    await scene.daemonOk('uninstall', bare)
    expect(await scene.machine.lingers()).toBe(false)
  })
})
