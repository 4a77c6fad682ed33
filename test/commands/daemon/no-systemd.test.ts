import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { emptyHome, joined } from '../../fixtures/joined.ts'
import { differences, snapshot } from '../../fixtures/snapshot.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import { echoServer } from '../../helpers/servers.ts'
import { World } from '../../helpers/world.ts'
import { openSocket } from '../../lab/helpers/socket.ts'
import { fakePrograms } from '../../platforms/systemd/helpers/fake-programs.ts'

/** sd_booted(3) */
const hasOther = process.platform === 'linux' && !existsSync('/run/systemd/system')

describe.skipIf(!hasOther)('where systemd is not process 1 (skipped where it is, and but for Linux)', () => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test.for([
    {
      name: 'beside-systemctl',
      where: 'a systemctl is there that says all is well',
      programs: { systemctl: { script: 'echo running' } },
      reason:
        /^(this looks like a container, and its process 1 is \S+, not systemd|this machine was not booted with systemd: its process 1 is \S+|this machine runs \S+, not systemd|WSL runs without systemd; .+)$/,
    },
    {
      name: 'without-systemctl',
      where: 'there is no systemctl',
      programs: {},
      reason: /^(there is no systemctl on this machine|this machine runs \S+, not systemd)$/,
    },
  ])('and $where, install says why not, changes nothing, and names what works', async (row) => {
    const home = await joined(world)
    const env = fakePrograms(row.programs)
    const before = snapshot(home.folder)
    const { code, stdout, stderr } = await connect(home, ['daemon', 'install'], { env })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    const [message, why, next, ...rest] = stderr.split('\n')
    expect(message).toBe(
      '[x] No service manager is supported on this machine (linux) by this version of Private Connect',
    )
    expect(why).toMatch(/^ {2}systemd: /)
    expect(why!.slice('  systemd: '.length)).toMatch(row.reason)
    expect(next).toBe('  Run it as a background process instead: connect daemon start')
    expect(rest).toEqual([''])
    expect(differences(before, snapshot(home.folder))).toEqual([])

    expect(await connectOk(home, ['daemon', 'start'], { env })).toMatch(
      /^\[ok\] Daemon started \(PID: \d+\)$/m,
    )
    const echo = await echoServer()
    onTestFinished(() => echo.close())
    await connectOk(home, ['expose', `127.0.0.1:${echo.port}`, '--name', row.name], { env })
    const { port, cli } = await world.reach(await joined(world, 'client'), row.name)
    onTestFinished(() => cli.stop())
    const socket = await openSocket(port)
    socket.end('in the background')
    expect((await socket.toArray()).join('')).toBe('in the background')
  })

  test('and the hub is to be started in the background with the flags that install was given', async () => {
    const home = emptyHome('hub')
    const flags = ['--listen', '0.0.0.0:7701', '--data-dir', home.file('our hub')]
    const { code, stderr } = await connect(home, ['hub', 'install', ...flags])
    expect(code).toBe(1)
    const next = `connect hub start --data-dir '${home.file('our hub')}' --listen 0.0.0.0:7701`
    expect(stderr).toContain(`\n  Run it as a background process instead: ${next}\n`)
  })
})
