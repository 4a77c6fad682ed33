import { beforeAll, beforeEach, expect, test } from 'vitest'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { SystemdScene, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'

const OLD = `[Service]
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=default.target
`

labSuite('an install that fails', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene

  beforeAll(async () => {
    scene = await SystemdScene.start(own, { polkit: true })
    await scene.join()
  }, MACHINE_START_MS)

  beforeEach(() => scene.reset())

  async function installFails(): Promise<string> {
    const { code, stdout, stderr } = await scene.daemon('install')
    expect(code).toBe(1)
    expect(stdout).not.toContain('[ok]')
    expect(stderr).toMatch(/^\[x\] Daemon failed to start: Process exited with code 1\n {2}Check logs: /)
    return stderr
  }

  test('for the first time leaves nothing behind, and says so', async () => {
    await scene.breakProgram()
    const before = await scene.homeFiles()
    expect(await installFails()).toMatch(/\n {2}Nothing is installed, and nothing runs now.\n$/)
    expect(await scene.homeFiles()).toBe(before)
    expect(await scene.failedUnits()).toBe('')
    expect(await scene.agents()).toEqual([])
    expect(await scene.machine.runOk('loginctl show-user dev -p Linger')).toBe('Linger=no\n')
    expect(await scene.status()).toMatchObject({ installed: false, status: 'stopped' })
  })

  test('over a unit that ran something else puts that back', async () => {
    await scene.machine.write(UNIT_FILE, OLD)
    await scene.machine.runOk(`systemctl --user daemon-reload && systemctl --user enable --now ${UNIT}`)
    await scene.breakProgram()
    const before = await scene.homeFiles()
    expect(await installFails()).toMatch(/\n {2}It is installed as before \(running\)\.\n$/)
    expect(await scene.homeFiles()).toBe(before)
    const state = await scene.machine.runOk(
      `systemctl --user show ${UNIT} -p ExecStart,SubState,UnitFileState`,
    )
    expect(state).toContain('argv[]=/usr/bin/sleep infinity ;')
    expect(state).toContain('SubState=running\nUnitFileState=enabled\n')
  })

  test('over a unit that was stopped and disabled leaves it so', async () => {
    await scene.machine.write(UNIT_FILE, OLD)
    await scene.breakProgram()
    const before = await scene.homeFiles()
    expect(await installFails()).toMatch(/\n {2}It is installed as before \(stopped\)\.\n$/)
    expect(await scene.homeFiles()).toBe(before)
    expect(await scene.failedUnits()).toBe('')
    expect(await scene.agents()).toEqual([])
  })

  test('over a daemon in the background says how to have that again', async () => {
    await scene.daemonOk('start', { env: { CONNECT_PLATFORM: 'background' } })
    await scene.breakProgram()
    expect(await installFails()).toMatch(
      /\n {2}Nothing is installed, and nothing runs now.\n {2}The background daemon was stopped. To start it again: connect daemon start\n$/,
    )
    await scene.daemonOk('start')
    await scene.answers()
  })

  test('since the unit is masked stops no daemon in the background', async () => {
    await scene.daemonOk('start', { env: { CONNECT_PLATFORM: 'background' } })
    const agents = await scene.agents()
    await scene.machine.runOk(`systemctl --user mask ${UNIT}`)
    expect(await scene.daemon('install')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`[x] ${UNIT} is masked`) as string,
    })
    expect(await scene.agents()).toEqual(agents)
    expect(await scene.daemon('install --dry-run')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`[x] ${UNIT} is masked`) as string,
    })
  })
})
