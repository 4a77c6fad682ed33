import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare, SystemdScene, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'

labSuite('the service of systemd, when not all is well', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own)
    await scene.join()
  }, MACHINE_START_MS)

  beforeEach(() => scene.reset())

  test('status tells a unit that was edited, and one that systemd can’t read', async () => {
    await scene.daemonOk('install')
    const unit = await scene.machine.read(UNIT_FILE)
    await scene.machine.write(UNIT_FILE, unit.replace('RestartSec=10', 'RestartSec=1'))
    const changed = 'The unit was changed and not read since. Run: connect daemon restart'
    expect(await scene.status()).toMatchObject({ status: 'running', notes: [changed] })
    expect(await scene.daemonOk('restart')).toContain(`  Updated: ~/${UNIT_FILE}\n`)
    expect(await scene.machine.read(UNIT_FILE)).toBe(unit)
    expect(await scene.status()).toMatchObject({ status: 'running', notes: [] })
    await scene.machine.write(UNIT_FILE, 'this is no unit\n')
    await scene.daemonOk('stop')
    await scene.machine.runOk('systemctl --user daemon-reload')
    const unreadable = 'systemd can’t read the unit. Run: connect daemon install'
    expect(await scene.status()).toMatchObject({ status: 'stopped', notes: [unreadable] })
    await scene.daemonOk('install')
    await scene.answers()
  })

  describe('install over', () => {
    const OLD = `[Unit]
Description=Older
[Service]
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=default.target
`

    test('an older unit that runs something else keeps what was there, and starts the agent', async () => {
      await scene.machine.write(UNIT_FILE, OLD)
      await scene.machine.runOk(`systemctl --user daemon-reload && systemctl --user enable --now ${UNIT}`)
      expect(await scene.daemonOk('install')).toContain(`  Updated: ~/${UNIT_FILE}\n`)
      await scene.answers()
      expect(await scene.machine.read(`.privateconnect/${UNIT}.old`)).toBe(OLD)
      const left = (await scene.machine.processes()).filter(({ command }) =>
        command.includes('sleep infinity'),
      )
      expect(left.filter(({ command }) => command.startsWith('/usr/bin/sleep'))).toEqual([])
    })

    test('a unit that systemd knows and nobody has enabled enables it', async () => {
      await scene.daemonOk('install')
      await scene.machine.runOk(`systemctl --user disable ${UNIT}`)
      expect(await scene.status()).toMatchObject({
        autostart: 'never',
        notes: ['It does not start by itself: the unit is disabled. Run: connect daemon install'],
      })
      const { pid } = await scene.status()
      expect(await scene.daemonOk('install')).toContain(`  Updated: ~/${UNIT_FILE}\n`)
      expect(await scene.status()).toMatchObject({ autostart: 'login', notes: [], pid })
    })

    test('a masked unit is refused, and says how to allow it', async () => {
      await scene.machine.runOk(`systemctl --user mask ${UNIT}`)
      const before = await scene.homeFiles()
      expect(await scene.daemon('install')).toMatchObject({
        code: 1,
        stderr: `[x] ${UNIT} is masked: someone has forbidden to start it
  To allow it: systemctl --user unmask ${UNIT}
  Then: connect daemon install
`,
      })
      expect(await scene.homeFiles()).toBe(before)
      await scene.machine.runOk(`systemctl --user unmask ${UNIT}`)
      await scene.daemonOk('install')
      await scene.answers()
    })

    test.for(['', 'this is no unit\n'])('a file that holds %j', async (content) => {
      await scene.machine.write(UNIT_FILE, content)
      await scene.daemonOk('install')
      await scene.answers()
    })

    test('a link that someone else keeps is refused', async () => {
      await scene.machine.write('dotfiles/unit', OLD)
      await scene.machine.runOk(`mkdir -p .config/systemd/user && ln -s ~/dotfiles/unit ${UNIT_FILE}`)
      expect(await scene.daemon('install')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`[x] ~/${UNIT_FILE} is a link to ~/dotfiles/unit\n`) as string,
      })
      expect(await scene.machine.read('dotfiles/unit')).toBe(OLD)
      await scene.machine.runOk('rm -r dotfiles')
    })

    test('a daemon in the background takes its place', async () => {
      await scene.daemonOk('start', { env: { CONNECT_PLATFORM: 'background' } })
      const [former] = await scene.agents()
      await scene.daemonOk('install')
      const agents = await scene.agents()
      expect(agents).toHaveLength(1)
      expect(agents).not.toEqual([former])
      expect(await scene.status()).toMatchObject({ status: 'running', pid: agents[0] })
      await scene.answers()
    })

    test('itself, two at once, leaves one agent', async () => {
      const both = await Promise.all([scene.daemon('install'), scene.daemon('install')])
      expect(both.map(({ code }) => code)).toEqual([0, 0])
      const done = both.map(({ stdout }) => /^ {2}(\w+): /m.exec(stdout)![1])
      expect(new Set(done)).toEqual(new Set(['Created', 'Unchanged']))
      expect(await scene.agents()).toHaveLength(1)
      await scene.answers()
    })
  })

  test('uninstall of a service whose unit someone has deleted ends it', async () => {
    const before = await scene.homeFiles()
    await scene.daemonOk('install')
    await scene.machine.runOk(`rm ${UNIT_FILE}`)
    expect(await scene.daemon('uninstall')).toMatchObject({ code: 0, stderr: '' })
    expect(await scene.agents()).toEqual([])
    expect(await scene.homeFiles()).toBe(before)
  })

  test('uninstall while the user manager is stopped removes the files, and says so', async () => {
    const before = await scene.homeFiles()
    await scene.daemonOk('install')
    await scene.machine.runOk('systemctl stop user@1000.service', asRoot)
    expect(await scene.daemon('uninstall', bare)).toMatchObject({
      code: 0,
      stderr: '[!] Your user manager does not run: only the files were removed\n',
    })
    expect(await scene.homeFiles()).toBe(before)
    await scene.machine.logoutAll()
    await scene.machine.login()
    expect(await scene.agents()).toEqual([])
  })

  test('two instances run side by side, each with a unit of its own', async () => {
    const staging = ['--config', '/home/dev/.privateconnect/staging.json']
    await scene.join(staging)
    await scene.daemonOk('install')
    const other = staging.join(' ')
    expect(await scene.daemonOk(`install ${other}`)).toContain('private-connect-staging.service\n')
    expect(await scene.agents()).toHaveLength(2)
    await scene.answers()
    await scene.answers('echo-2')
    await scene.daemonOk('uninstall')
    expect(await scene.agents()).toHaveLength(1)
    await scene.answers('echo-2')
    await scene.daemonOk(`uninstall ${other}`)
    expect(await scene.agents()).toEqual([])
  })
})
