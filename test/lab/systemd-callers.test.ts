import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare, SystemdScene, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'

labSuite('the service of systemd, whoever calls', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own, { polkit: true })
    await scene.join()
  }, MACHINE_START_MS)

  beforeEach(() => scene.reset())

  test('with a HOME that is not the user’s, install says why not and changes nothing, and start works', async () => {
    const elsewhere = { env: { HOME: '/home/dev/else where' } }
    const { machine } = scene
    await machine.runOk('mkdir -p "else where"')
    const login = { CONNECT_HUB_URL: scene.world.hubUrl, PRIVATECONNECT_TOKEN: await scene.world.joinToken() }
    await machine.connectOk(['login', '--label', 'elsewhere'], { env: { ...elsewhere.env, ...login } })
    const before = await scene.homeFiles()
    expect(await scene.daemon('install', elsewhere)).toMatchObject({
      code: 1,
      stderr: `[x] No service manager is supported on this machine (linux) by this version of Private Connect
  systemd: HOME is /home/dev/else where, but your user manager looks for units in /home/dev
  Run it as a background process instead: connect daemon start
`,
    })
    expect(await scene.homeFiles()).toBe(before)
    await machine.connectOk(['expose', `127.0.0.1:${scene.echoPort}`, '--name', 'elsewhere'], elsewhere)
    await scene.daemonOk('start', elsewhere)
    await scene.answers('elsewhere')
    await scene.daemonOk('stop', elsewhere)
  })

  test('with what su and sudo -u leave of root’s environment, it is the user’s own manager that is asked', async () => {
    const env = {
      SUDO_USER: 'root',
      XDG_RUNTIME_DIR: '/run/user/0',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/0/bus',
    }
    for (const action of ['install', 'restart']) {
      expect(await scene.daemon(action, { ...bare, env })).toMatchObject({ code: 0, stderr: '' })
      await scene.answers()
    }
    expect(await scene.status({ ...bare, env })).toMatchObject({ status: 'running', autostart: 'boot' })
    expect(await scene.daemon('uninstall', { ...bare, env })).toMatchObject({ code: 0, stderr: '' })
    expect(await scene.agents()).toEqual([])
  })

  test('with proxies set, which a hub on this machine needs none of, it connects, and no password of theirs is in the unit', async () => {
    // Where nobody listens.
    const proxy = 'http://dev:pass%20word@127.0.0.1:9'
    const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
    const env = Object.fromEntries(names.map((name) => [name, proxy]))
    expect(await scene.daemon('install', { env })).toMatchObject({ code: 0, stderr: '' })
    await scene.answers()
    expect(await scene.machine.read(UNIT_FILE)).not.toMatch(/proxy|pass/i)
    expect(await scene.machine.runOk(`systemctl --user show ${UNIT} -p Environment`)).not.toMatch(
      /proxy|pass/i,
    )
  })

  test('by two at once, for two instances of a user who is not logged in, all of it is remembered, and undone', async () => {
    const other = ' --config /home/dev/.privateconnect/staging.json'
    await scene.join(other.trim().split(' '))
    const both = async (action: string) => {
      const results = await Promise.all([scene.daemon(action, bare), scene.daemon(action + other, bare)])
      for (const result of results) expect(result).toMatchObject({ code: 0, stderr: '' })
    }
    await scene.machine.logoutAll()
    const before = await scene.homeFiles()
    await both('install')
    await scene.answers()
    await scene.answers('echo-2')
    expect(JSON.parse(await scene.machine.read('.privateconnect/systemd.json'))).toMatchObject({
      folders: ['/home/dev/.config', '/home/dev/.config/systemd', '/home/dev/.config/systemd/user'],
      lingering: true,
    })
    await both('uninstall')
    expect(await scene.agents()).toEqual([])
    expect(await scene.homeFiles()).toBe(before)
    expect(await scene.machine.lingers()).toBe(false)
  })

  describe('as root', () => {
    const root = { as: 'root' } as const
    const login = async () => ({
      CONNECT_HUB_URL: scene.world.hubUrl,
      PRIVATECONNECT_TOKEN: await scene.world.joinToken(),
    })

    test.for(['/root', '/home/dev'])(
      'by sudo, with HOME=%s, install and up --detach are refused, and nobody’s home is changed',
      async (home) => {
        // Makes the folder of what Node.js caches.
        await scene.machine.connectOk(['--help'], asRoot)
        const all = 'find /root /home/dev -name cache -prune -o -printf "%u %m %p\\n" | sort'
        const before = await scene.machine.runOk(all, asRoot)
        const env = { ...(await login()), SUDO_USER: 'dev', HOME: home }
        for (const words of [
          ['daemon', 'install'],
          ['up', '--detach'],
        ]) {
          expect(await scene.machine.connect(words, { ...asRoot, env })).toMatchObject({
            code: 1,
            stderr: expect.stringContaining(
              `  Run it as yourself, without sudo: connect ${words.join(' ')}\n`,
            ) as string,
          })
        }
        expect(await scene.machine.runOk(all, asRoot)).toBe(before)
      },
    )

    test('from root’s own login it is installed, with a warning', async () => {
      expect(await scene.daemon('install', { ...root, env: await login() })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('  The agent will now start automatically on boot.\n') as string,
        stderr: '[!] You are root, so the daemon may do anything on this machine\n',
      })
      await scene.daemonOk('uninstall', root)
      expect(await scene.agents()).toEqual([])
    })
  })
})
