import { beforeAll, expect, test } from 'vitest'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, bare } from './helpers/systemd-scene.ts'

const UNIT = 'private-connect-hub.service'
const UNIT_FILE = `.config/systemd/user/${UNIT}`
const LISTEN = '127.0.0.1:7700'

interface Status {
  readonly status: string
  readonly pid: number | null
  readonly listen: string | null
}

labSuite('the hub as a service of systemd', machineNeeds, () => {
  const own = ownedBySuite()
  let machine: Machine
  let before: string

  beforeAll(async () => {
    machine = own(await Machine.start({ polkit: true }), (it) => it.stop())
    before = await homeFiles()
  }, MACHINE_START_MS)

  const hub = (action: string) => machine.connect(['hub', ...action.split(' ')], { timeoutMs: 100_000 })
  const hubOk = (action: string) => machine.connectOk(['hub', ...action.split(' ')], { timeoutMs: 100_000 })
  const status = async () => JSON.parse(await hubOk('status --json')) as Status
  const settings = async (): Promise<unknown> =>
    JSON.parse(await machine.read('.privateconnect/hub/config.json'))

  /** All that lies in dev's home folder but our own, and what Node.js caches. */
  async function homeFiles(): Promise<string> {
    const others = String.raw`find . \( -path ./.privateconnect \) -prune -o -printf '%M %u %y %p %l\n' | sort`
    return machine.runOk(others, bare)
  }

  /** Waits until it answers as another process. */
  async function answersAnew(pid: number | null): Promise<void> {
    await expect.poll(async () => (await status()).pid, { timeout: 60_000, interval: 500 }).not.toBe(pid)
    await hubOk('status --wait 60s')
  }

  test('--dry-run prints settings, unit and commands, and touches nothing', async () => {
    const { code, stdout, stderr } = await hub(`install --listen ${LISTEN} --dry-run`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('hub/config.json:\n')
    expect(stdout).toContain(`Would write ~/${UNIT_FILE}:\n`)
    expect(stdout).toContain(`  systemctl --user restart ${UNIT}\n`)
    expect(await homeFiles()).toBe(before)
  })

  test('install prints its lines to the letter, and the hub answers', async () => {
    expect(await hub(`install --no-join --listen ${LISTEN}`)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `🔧 Installing Private Connect hub...

  Created: ~/${UNIT_FILE}

[ok] Hub installed and started
  The hub will now start automatically on boot.
  Listens on: ${LISTEN}
  Address on this machine: https://${LISTEN}

  Commands:
    Status:    connect hub status
    Logs:      connect hub logs
    Stop:      connect hub stop
    Uninstall: connect hub uninstall
`,
    })
    expect(await machine.runOk(`systemctl --user is-enabled ${UNIT}`)).toBe('enabled\n')
    expect(await machine.read(UNIT_FILE)).toContain('Description=Private Connect Hub\n')
    expect(await hubOk('install')).toContain('[ok] Hub already installed and running\n')
    expect(await status()).toMatchObject({ installed: true, autostart: 'boot', restarts: 0, notes: [] })
  })

  test('it comes back after a crash, and after a reboot before anyone logs in', async () => {
    const { pid } = await status()
    await machine.runOk(`kill -9 ${pid}`)
    await answersAnew(pid)
    await machine.reboot()
    await machine.connectOk(['hub', 'status', '--wait', '60s'], bare)
    expect(await machine.runOk('loginctl --no-legend list-sessions', asRoot)).toBe('')
  })

  test('an install with other flags starts it anew, and one that fails leaves all as it was', async () => {
    const { pid } = await status()
    await hubOk('install --listen 127.0.0.1:7701')
    expect(await status()).toMatchObject({ status: 'running', listen: '127.0.0.1:7701' })
    expect((await status()).pid).not.toBe(pid)
    // A port that needs more rights than the user has.
    const { code, stderr } = await hub('install --listen 127.0.0.1:81')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] Hub failed to start: /)
    expect(stderr).toContain('It runs again with the settings of before (PID: ')
    expect(await settings()).toEqual({ version: 1, listen: '127.0.0.1:7701' })
    expect(await status()).toMatchObject({ status: 'running', listen: '127.0.0.1:7701', installed: true })
  })

  test('start that fails leaves the settings as they were, and the hub of before runs again', async () => {
    const { code, stderr } = await hub('start --listen 127.0.0.1:81')
    expect(code).toBe(1)
    expect(stderr).toContain('It runs again with the settings of before (PID: ')
    await hubOk('status --wait 60s')
    expect(await settings()).toEqual({ version: 1, listen: '127.0.0.1:7701' })
    expect(await status()).toMatchObject({ status: 'running', listen: '127.0.0.1:7701' })
  })

  test('stop, start and restart', async () => {
    expect(await hubOk('stop')).toBe('[ok] Hub stopped\n')
    expect(await status()).toMatchObject({ status: 'stopped', installed: true })
    expect(await hubOk('start')).toMatch(/^🚀 Starting hub through systemd\.\.\.\n\n\[ok\] Hub started/)
    const { pid } = await status()
    expect(await hubOk('restart')).toMatch(/^\[ok\] Hub stopped\n\[ok\] Hub started\n {2}PID: \d+\n/)
    expect((await status()).pid).not.toBe(pid)
  })

  test('install takes over from a hub in the background, and start goes on with the service', async () => {
    await hubOk('uninstall')
    const background = { env: { CONNECT_PLATFORM: 'background' }, timeoutMs: 100_000 }
    await machine.connectOk(['hub', 'start'], background)
    const { pid } = await status()
    await hubOk('install')
    expect(await status()).toMatchObject({ status: 'running', installed: true, notes: [] })
    expect((await status()).pid).not.toBe(pid)
    expect(await hubOk('start')).toContain('[ok] Hub already running')
  })

  test('uninstall leaves the home folder, the units and lingering as they were', async () => {
    expect(await hubOk('uninstall')).toContain(`  Removed: ~/${UNIT_FILE}\n`)
    expect(await homeFiles()).toBe(before)
    expect(await machine.lingers()).toBe(false)
    expect(await status()).toMatchObject({ status: 'stopped', installed: false })
  })

  test('an agent’s unit of that name is not touched, also where it is not known whose it is', async () => {
    await machine.write(UNIT_FILE, '[Service]\nExecStart="/usr/bin/sleep" "infinity" "up" "--hub" "x"\n')
    for (const action of ['install', 'start', 'stop', 'status', 'uninstall']) {
      const { code, stderr } = await hub(action)
      expect({ code, stderr }).toMatchObject({ code: 1 })
      expect(stderr).toMatch(new RegExp(`^\\[x\\] ~/${UNIT_FILE} is the unit of an agent\\n`))
    }
    await machine.runOk(`rm ${UNIT_FILE}`)
  })
})
