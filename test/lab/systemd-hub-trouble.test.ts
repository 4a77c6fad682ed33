import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { serveTcp } from '../helpers/servers.ts'
import { freePort } from '../helpers/free-port.ts'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare, SystemdScene, type Status } from './helpers/systemd-scene.ts'

const UNIT = 'private-connect-hub.service'
const UNIT_FILE = `.config/systemd/user/${UNIT}`
const FOLDER = '.privateconnect/hub'

labSuite('the hub as a service of systemd, when not all is well', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own, { polkit: true })
    await scene.join()
  }, MACHINE_START_MS)

  beforeEach(async () => {
    await scene.machine.login()
    await scene.machine.run(
      `connect hub uninstall; connect hub stop
       systemctl --user unmask ${UNIT}; rm -rf ${FOLDER} .config; systemctl --user daemon-reload`,
    )
  })

  const hub = (line: string, options = {}) =>
    scene.machine.connect(['hub', ...line.split(' ')], { timeoutMs: 100_000, ...options })
  const hubOk = (line: string, options = {}) =>
    scene.machine.connectOk(['hub', ...line.split(' ')], { timeoutMs: 100_000, ...options })
  const status = async () => JSON.parse(await hubOk('status --json')) as Status
  const hubs = async () => (await scene.machine.processes()).filter(({ command }) => command.endsWith(' hub'))
  const shown = (property: string) =>
    scene.machine.runOk(`systemctl --user show ${UNIT} --property=${property} --value`)

  async function statusSays(expected: object): Promise<void> {
    const look = async () => expect.objectContaining(expected).asymmetricMatch(await status()) || undefined
    if (!(await waitFor(look, { timeoutMs: 60_000, everyMs: 500 })))
      expect(await status()).toMatchObject(expected)
  }

  test('a port that is in use for long is told, with who has it, until it is free', async () => {
    const other = await serveTcp(() => {})
    const listen = `127.0.0.1:${other.port}`
    await hubOk('install --listen 127.0.0.1:0')
    await hubOk('stop')
    await scene.machine.write(`${FOLDER}/config.json`, JSON.stringify({ version: 1, listen }))
    expect(await hub('start')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^\[x\] Hub failed to start: Process exited with code 1\n[^]*\[x\] Port \d+ of 127\.0\.0\.1 is in use, by /,
      ) as string,
    })
    await statusSays({ status: 'restarting', restarts: 1 })
    const { lastExit } = await status()
    expect(lastExit).toMatchObject({ code: 1 })
    await other.close()
    await hubOk('status --wait 60s')
    expect(await status()).toMatchObject({ status: 'running', listen })
  })

  test('settings that are damaged keep it down, also after a crash, and what to do is said', async () => {
    await hubOk('install --listen 127.0.0.1:0')
    const { pid } = await status()
    const settings = await scene.machine.read(`${FOLDER}/config.json`)
    await scene.machine.write(`${FOLDER}/config.json`, '{"version":1,"listen":')
    await scene.machine.runOk(`kill -KILL ${pid}`)
    // One that systemd is to start again would be in `auto-restart`.
    const isDown = async () => (await shown('SubState')) === 'failed\n' || undefined
    expect(await waitFor(isDown, { timeoutMs: 60_000, everyMs: 500 })).toBe(true)
    expect(await shown('ExecMainStatus')).toBe('78\n')
    for (const action of ['status', 'start', 'stop', 'install']) {
      const { code, stderr } = await hub(action)
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^\[x\] .*hub\/config\.json is not valid JSON.*\n {2}Fix the file, /,
        ) as string,
      })
    }
    await scene.machine.write(`${FOLDER}/config.json`, settings)
    expect((await status()).status).toBe('stopped')
    await hubOk('start')
  })

  test('files of its process that are damaged or gone do not hide it', async () => {
    await hubOk('install --listen 127.0.0.1:0')
    const { pid } = await status()
    await scene.machine.runOk(`cd ${FOLDER} && echo x >hub.process.json && echo 1 >hub.pid && rm hub.sock`)
    expect(await status()).toMatchObject({ status: 'running', pid })
    expect(await hubOk('stop')).toBe('[ok] Hub stopped\n')
    expect(await hubs()).toEqual([])
    await scene.machine.runOk(`cd ${FOLDER} && echo x >hub.process.json && echo 1 >hub.pid`)
    await hubOk('start')
    expect(await hubs()).toHaveLength(1)
  })

  describe('install', () => {
    test('on a full disk changes nothing, and works once there is room', async () => {
      const before = await scene.homeFiles()
      const folder = `/home/dev/${FOLDER}`
      await scene.machine.runOk(`mkdir -p -m 700 ${FOLDER}`)
      await scene.machine.runOk(
        `mount -t tmpfs -o size=64k,nr_inodes=20,uid=1000,mode=0700 none ${folder}
         dd if=/dev/zero of=${folder}/filling bs=4k status=none; chown 1000 ${folder}/filling`,
        asRoot,
      )
      const { code, stderr } = await hub('install --listen 127.0.0.1:0')
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^\[x\] Could not .*ENOSPC: no space left on device.*\n {2}Free some space/,
        ) as string,
      })
      expect(await hubs()).toEqual([])
      expect(await scene.homeFiles()).toBe(before)
      expect(await scene.machine.lingers()).toBe(false)
      await scene.machine.runOk(`umount --lazy ${folder}`, asRoot)
      await hubOk('install --listen 127.0.0.1:0')
    })

    test('that fails leaves nothing behind, and no settings', async () => {
      const drop = `${UNIT_FILE}.d/override.conf`
      await scene.machine.write(drop, '[Service]\nEnvironment="NODE_OPTIONS=--require=/nowhere.cjs"\n')
      await scene.machine.runOk('systemctl --user daemon-reload')
      const before = await scene.homeFiles()
      const { code, stderr } = await hub('install --listen 127.0.0.1:0')
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^\[x\] Hub failed to start: [^]*\n {2}Nothing is installed, and nothing runs now\.\n/,
        ) as string,
      })
      expect(await scene.homeFiles()).toBe(before)
      expect(await scene.machine.lingers()).toBe(false)
      expect(await scene.machine.runOk(`ls ${FOLDER}`)).not.toContain('config.json')
    })

    test('of a masked unit is refused, and says how to allow it', async () => {
      await scene.machine.runOk(`systemctl --user mask ${UNIT}`)
      expect(await hub('install')).toMatchObject({
        code: 1,
        stderr: `[x] ${UNIT} is masked: someone has forbidden to start it
  To allow it: systemctl --user unmask ${UNIT}
  Then: connect hub install
`,
      })
      expect(await scene.machine.run(`ls ${FOLDER}/config.json`)).toMatchObject({ code: 2 })
    })

    test('twice at once leaves one hub', async () => {
      const both = await Promise.all([1, 2].map(() => hub('install --listen 127.0.0.1:0')))
      expect(both.map(({ code }) => code)).toEqual([0, 0])
      expect(await hubs()).toHaveLength(1)
    })
  })

  test('beside an agent’s unit, each is removed without the other, and the last one leaves all as it was', async () => {
    const before = await scene.homeFiles()
    await scene.daemonOk('install')
    await hubOk('install --listen 127.0.0.1:0')
    await hubOk('uninstall')
    await scene.answers()
    expect(await scene.machine.lingers()).toBe(true)
    await hubOk('install')
    const { pid } = await status()
    expect(await scene.daemonOk('uninstall')).toContain('[ok] Daemon uninstalled\n')
    expect(await status()).toMatchObject({ status: 'running', pid, autostart: 'boot' })
    expect(await scene.machine.lingers()).toBe(true)
    // Both at once.
    await Promise.all([scene.daemonOk('start'), hubOk('restart')])
    await scene.daemonOk('stop')
    expect(await hubOk('uninstall')).toContain(`What it knows stays in ~/${FOLDER}, for the next install\n`)
    expect(await scene.machine.lingers()).toBe(false)
    expect(await scene.homeFiles()).toBe(before)
  })

  test('a hub of another user has a port of its own, and neither reaches the other’s socket', async () => {
    const port = await freePort()
    await hubOk(`install --listen 127.0.0.1:${port}`)
    const refused = await hub(`start --listen 127.0.0.1:${port}`, asRoot)
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(
          `Port ${port} of 127\\.0\\.0\\.1 is in use, by .*\\n.* Give another one with --listen HOST:PORT`,
        ),
      ) as string,
    })
    await hubOk('start --listen 127.0.0.1:0', asRoot)
    expect(await hubs()).toHaveLength(2)
    // Though the folders on the way were open.
    await scene.machine.runOk(`chmod 711 . .privateconnect ${FOLDER}`)
    const knock = `require('net').connect('/home/dev/${FOLDER}/hub.sock').on('error', (e) => console.log(e.code))`
    expect(
      await scene.machine.runOk(
        ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'node', '-e', knock],
        asRoot,
      ),
    ).toBe('EACCES\n')
    expect(await hubOk('stop', asRoot)).toBe('[ok] Hub stopped\n')
    expect(await status()).toMatchObject({ status: 'running', listen: `127.0.0.1:${port}` })
    await scene.machine.runOk('rm -rf .privateconnect', asRoot)
  })

  test('that is started before its disk is mounted makes nothing there, waits, and is the same hub then', async () => {
    const [disk, mount] = ['/home/dev/disk', '/home/dev/mount']
    const bind = () => scene.machine.runOk(`mount --bind ${disk} ${mount}`, asRoot)
    await scene.machine.runOk(`mkdir ${disk} ${mount}`)
    await bind()
    await hubOk(`install --no-join --listen 127.0.0.1:0 --data-dir ${mount}`)
    const hubId = async () => (JSON.parse(await hubOk('status --json')) as { hubId: string | null }).hubId
    const before = await hubId()
    await hubOk('stop')
    await scene.machine.runOk(`umount ${mount}`, asRoot)
    // As at a boot.
    await scene.machine.runOk(`systemctl --user start ${UNIT}`)
    await statusSays({
      status: 'starting',
      reason: `Waiting for its data folder ${mount}, most likely on a disk that is not mounted`,
      waitsFor: mount,
      silence: 'it waits for its data',
    })
    expect(await hub('start')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('[ok] Hub already running (PID: ') as string,
    })
    expect(await hub('restart')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('mount it. Nothing was made in its place.\n') as string,
    })
    expect(await scene.machine.runOk(`ls -A ${mount}`)).toBe('')
    await bind()
    await hubOk('status --wait 60s')
    expect(await hubId()).toBe(before)
    await hubOk('uninstall')
    await scene.machine.runOk(`umount ${mount} && rm -r ${disk} ${mount}`, asRoot)
  })

  test('beside one that is installed, one in the foreground is refused on its data, and said what to do', async () => {
    await hubOk('install --listen 127.0.0.1:0')
    const { pid } = await status()
    expect(await hub('--listen 127.0.0.1:0', bare)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `[x] A hub is kept running on ~/${FOLDER} already (PID: ${pid})\n`,
      ) as string,
    })
  })
})
