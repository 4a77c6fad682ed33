import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { echoServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { isGone } from './helpers/is-gone.ts'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { run } from './helpers/run.ts'
import { openSocket } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

const asRoot = { as: 'root', session: 'bare' } as const
const bare = { session: 'bare' } as const

labSuite('a machine with a systemd of its own', machineNeeds, () => {
  const own = ownedBySuite()
  let machine: Machine

  beforeAll(async () => {
    machine = own(await Machine.start(), (it) => it.stop())
  }, MACHINE_START_MS)

  test('has systemd as process 1, and sees none of the processes of the host', async () => {
    const processes = await machine.processes()
    expect(processes.find(({ pid }) => pid === 1)).toMatchObject({
      user: 'root',
      command: expect.stringContaining('systemd') as string,
    })
    expect(processes.filter(({ command }) => command.includes('node'))).toEqual([])
    expect(await machine.runOk('hostname', asRoot)).toBe(`${machine.name}\n`)
  })

  test('a login has a manager of its own, and what cron starts has none', async () => {
    const ask = 'echo "$USER $XDG_RUNTIME_DIR" && systemctl --user is-system-running --wait'
    expect(await machine.run(ask)).toMatchObject({ code: 0, stdout: 'dev /run/user/1000\nrunning\n' })
    expect(await machine.run(ask, bare)).toMatchObject({
      code: 1,
      stdout: ' \n',
      stderr: 'Failed to connect to bus: No medium found\n',
    })
    const group = ['grep', '^0::', '/proc/self/cgroup']
    expect(await machine.runOk(group)).toMatch(/^0::\/user\.slice\/user-1000\.slice\/session-.*\.scope$/m)
    expect(await machine.runOk(group, bare)).toBe('0::/system.slice/cron.service\n')
  })

  test('a command gets words, environment and input as they are', async () => {
    const odd = `a 'b' "c" $HOME \\ * ü\nd`
    for (const session of ['login', 'bare'] as const) {
      const options = { session, env: { ODD: odd }, input: 'typed' }
      const words = ['sh', '-c', 'printf "%s|%s|" "$1" "$ODD"; cat; pwd', 'sh', odd]
      expect(await machine.runOk(words, options)).toBe(`${odd}|${odd}|typed/home/dev\n`)
    }
  })

  test('a reboot and a power cut keep the disk, and no one is logged in then', async () => {
    const boot = () => machine.read('/proc/sys/kernel/random/boot_id')
    const before = await boot()
    await machine.write('a folder/notes', 'still here')
    await machine.login()
    await machine.reboot()
    expect(await machine.runOk('loginctl --no-legend list-users', asRoot)).toBe('')
    expect(await machine.runOk('stat --format="%U %n" */*; cat */*')).toBe('dev a folder/notes\nstill here')
    const after = await boot()
    expect(after).not.toBe(before)
    await machine.cutPower()
    expect(readFileSync(machine.onDisk('/home/dev/a folder/notes'), 'utf8')).toBe('still here')
    await expect(machine.run('true')).rejects.toThrow('is off')
    await machine.boot()
    expect(await machine.read('a folder/notes')).toBe('still here')
    expect(await boot()).not.toBe(after)
  })

  test('what is shut down stays off until it is turned on', async () => {
    await machine.powerOff()
    await expect(machine.run('true')).rejects.toThrow('is off')
    await machine.boot()
    expect(await machine.runOk('echo on')).toBe('on\n')
  })

  test('when the last one has logged out, the manager ends, but of a user who lingers', async () => {
    const manager = async () =>
      (await machine.processes()).filter(({ command }) => command === '/lib/systemd/systemd --user').length
    await machine.login()
    expect(await manager()).toBe(1)
    await machine.logoutAll()
    expect(await manager()).toBe(0)
    await machine.setLinger(true)
    expect(await machine.lingers()).toBe(true)
    await machine.login()
    await machine.logoutAll()
    expect(await manager()).toBe(1)
    await machine.setLinger(false)
    await machine.logoutAll()
    expect(await machine.lingers()).toBe(false)
    expect(await manager()).toBe(0)
  })

  test.each([
    { when: 'before anyone logs in, for a user who lingers', lingers: true },
    { when: 'only when they log in, for a user who does not linger', lingers: false },
  ])('after a reboot a user service runs $when', async ({ lingers }) => {
    const unit = ['[Service]', 'ExecStart=sleep infinity', '[Install]', 'WantedBy=default.target', '']
    await machine.write('.config/systemd/user/by-hand.service', unit.join('\n'))
    await machine.runOk('systemctl --user daemon-reload && systemctl --user enable --now by-hand')
    await machine.setLinger(lingers)
    await machine.reboot()
    const runs = async () =>
      (await machine.processes()).some(({ command }) => command.endsWith('sleep infinity')) || undefined
    if (lingers) expect(await waitFor(runs, { timeoutMs: 30_000 })).toBe(true)
    else expect(await runs()).toBeUndefined()
    expect(await machine.runOk('systemctl --user is-active by-hand')).toBe('active\n')
    await machine.runOk('systemctl --user disable --now by-hand')
    await machine.setLinger(false)
  })

  test('a plain user may not linger where polkit is missing', async () => {
    expect(await machine.run('loginctl enable-linger')).toMatchObject({
      code: 1,
      stderr: 'Could not enable linger: Access denied\n',
    })
    expect(await machine.lingers()).toBe(false)
  })

  test('runs the program, with a daemon in the background that a machine of the host reaches', async () => {
    const world = await World.start()
    onTestFinished(() => world.stop())
    const env = { CONNECT_PLATFORM: 'background', CONNECT_HUB_URL: world.hubUrl }
    expect(await machine.connectOk(['--version'])).toContain(`linux-${process.arch} node-${process.version}`)
    const login = { env: { ...env, PRIVATECONNECT_TOKEN: await world.joinToken() } }
    await machine.connectOk(['login', '--label', 'boxed'], login)
    const echo = await echoServer()
    onTestFinished(() => echo.close())
    await machine.connectOk(['daemon', 'start'], { env })
    await machine.connectOk(['expose', `localhost:${echo.port}`, '--name', 'echo'], { env })
    const status = JSON.parse(await machine.connectOk(['daemon', 'status', '--json'], { env })) as {
      pid: number
    }
    expect(status).toMatchObject({ status: 'running', label: 'boxed' })
    expect((await machine.processes()).find(({ pid }) => pid === status.pid)).toMatchObject({ user: 'dev' })
    const { port } = await world.reach(await world.machine('client'), 'echo')
    const socket = await openSocket(port)
    socket.end('through the machine')
    expect((await socket.toArray()).join('')).toBe('through the machine')
    await machine.connectOk(['daemon', 'stop'], { env })
    expect((await machine.processes()).filter(({ pid }) => pid === status.pid)).toEqual([])
  })
})

labSuite('a machine with polkit', machineNeeds, () => {
  const own = ownedBySuite()
  let machine: Machine

  beforeAll(async () => {
    machine = own(await Machine.start({ polkit: true, name: 'with-polkit' }), (it) => it.stop())
  }, MACHINE_START_MS)

  test('lets a plain user linger, without a terminal too; who is in no session has to say who they are', async () => {
    await machine.runOk('loginctl enable-linger')
    expect(await machine.lingers()).toBe(true)
    await machine.runOk('loginctl disable-linger')
    expect(await machine.run('loginctl enable-linger', bare)).toMatchObject({
      code: 1,
      stderr: 'Could not enable linger: No such device or address\n',
    })
    expect(await machine.lingers()).toBe(false)
    await machine.runOk('loginctl enable-linger dev', bare)
    expect(await machine.lingers()).toBe(true)
  })
})

labSuite('what is left of a machine', machineNeeds, () => {
  async function traces(name: string, keeperPid: number): Promise<string> {
    const { stdout } = await run('sh', [
      '-c',
      `grep -E 'lab-(run|disk|cgroup)' /proc/self/mountinfo
       find /sys/fs/cgroup -name 'private-connect-lab-${keeperPid}'
       pgrep --full --list-full -- '[-]-machine=${name}'`,
    ])
    return stdout
  }

  test('is nothing after its end', { timeout: MACHINE_START_MS }, async () => {
    const machine = await Machine.start()
    expect(await traces(machine.name, machine.keeperPid)).toContain('systemd-nspawn')
    await machine.stop()
    expect(await traces(machine.name, machine.keeperPid)).toBe('')
  })

  test('is nothing when the tests are killed', { timeout: MACHINE_START_MS }, async () => {
    const program = path.join(import.meta.dirname, 'fixtures', 'have-machine.ts')
    const tests = runProgram([process.execPath, program])
    const [, name, keeperPid] = await tests.printed(/^up: (\S+) kept by (\d+)$/m, MACHINE_START_MS)
    expect(existsSync(`/proc/${keeperPid}`)).toBe(true)
    await tests.stop('SIGKILL')
    await isGone(Number(keeperPid))
    expect(await traces(name!, Number(keeperPid))).toBe('')
  })
})
