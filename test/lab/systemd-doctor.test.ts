import { beforeAll, expect, test } from 'vitest'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, SystemdScene, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'

interface Seen {
  readonly state: string
  readonly seen: string
  readonly fix: string | null
  readonly mended: string | null
}

labSuite('connect doctor on a machine with systemd', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own, { polkit: true })
    await scene.join()
    await scene.daemonOk('install')
    await scene.answers()
    await scene.machine.login()
  }, MACHINE_START_MS)

  async function diagnose(...args: string[]): Promise<Record<string, Seen>> {
    const { stdout } = await scene.machine.connect(['doctor', '--json', ...args], { timeoutMs: 100_000 })
    const { checks } = JSON.parse(stdout) as { checks: (Seen & { name: string })[] }
    return Object.fromEntries(checks.map((one) => [one.name, one]))
  }

  test('all is well after an install', async () => {
    const seen = await diagnose()
    const ofDaemon = ['service-manager', 'autostart', 'lingering', 'running', 'answers', 'service-file']
    for (const name of [
      ...ofDaemon,
      'program',
      'duplicates',
      'manager-notes',
      'crash-loop',
      'owners',
      'modes',
    ])
      expect(seen[name], name).toMatchObject({ state: 'ok' })
    expect(seen['autostart']!.seen).toBe('On boot')
  })

  test('lingering that is off is turned on, and a second run says so', async () => {
    await scene.machine.setLinger(false)
    expect(await diagnose()).toMatchObject({
      autostart: { seen: 'When you log in' },
      lingering: { state: 'warning', fix: 'Run: sudo loginctl enable-linger "$USER"' },
    })
    expect(await diagnose('--fix')).toMatchObject({
      lingering: { state: 'ok', mended: 'lingering was turned on' },
    })
    expect(await diagnose()).toMatchObject({ lingering: { state: 'ok', mended: null } })
  })

  test('a unit that differs is written anew, and the daemon serves again', async () => {
    const [before] = await scene.agents()
    await scene.machine.runOk(`sed -i s/RestartSec=10/RestartSec=99/ ${UNIT_FILE}`)
    expect(await diagnose()).toMatchObject({
      'service-file': {
        state: 'warning',
        seen: `~/${UNIT_FILE} differs from what this version writes (RestartSec)`,
      },
      'manager-notes': { state: 'warning', fix: 'Run: connect daemon restart' },
    })
    expect(await diagnose('--fix')).toMatchObject({
      'service-file': {
        state: 'ok',
        mended: expect.stringContaining('the daemon was started anew') as string,
      },
      'manager-notes': { state: 'ok' },
    })
    expect(await scene.agents()).not.toEqual([before])
    await scene.answers()
  })

  test('what systemctl was told: disabled, stopped', async () => {
    await scene.machine.runOk(`systemctl --user disable ${UNIT}`)
    expect(await diagnose()).toMatchObject({
      autostart: { state: 'failed', fix: 'Run: connect daemon install' },
    })
    await scene.machine.runOk(`systemctl --user enable ${UNIT}; systemctl --user stop ${UNIT}`)
    expect(await diagnose()).toMatchObject({
      autostart: { state: 'ok' },
      running: { state: 'failed', fix: 'Run: connect daemon start' },
    })
    await scene.daemonOk('start')
  })

  test('a service that crashes again and again', async () => {
    await scene.breakProgram()
    await scene.daemon('restart')
    const found = await diagnose()
    expect(found['running']).toMatchObject({ state: expect.not.stringMatching('ok') as string })
    await scene.machine.runOk(`rm -r ${UNIT_FILE}.d; systemctl --user daemon-reload`)
    await scene.daemonOk('restart')
    expect(await diagnose()).toMatchObject({ running: { state: 'ok' } })
  })

  test('files that sudo has left are told, with the command', async () => {
    await scene.machine.runOk('chown root: /home/dev/.privateconnect/services.json', asRoot)
    const found = await diagnose()
    expect(found['owners']).toMatchObject({
      state: 'failed',
      fix: expect.stringMatching(/^Run: sudo chown -h \d+ .*services\.json/) as string,
    })
    await scene.machine.runOk('chown dev: /home/dev/.privateconnect/services.json', asRoot)
    expect(await diagnose()).toMatchObject({ owners: { state: 'ok' } })
  })
})
